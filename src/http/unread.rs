//! Bodies that are refused before their end: nobody reads on.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::{InternalError, PayloadError},
    http::header,
    middleware::Next,
    web::Bytes,
};
use futures_util::Stream;

/// A body that comes in, in the hands of whoever reads it and of the answer at once.
#[derive(Clone)]
struct Incoming(Rc<RefCell<Payload>>);

impl Stream for Incoming {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

/// An answer that lets go of what it answers only once it is sent.
struct Answer {
    body: BoxBody,
    _incoming: Incoming,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

impl Incoming {
    fn answered_by(self, body: BoxBody) -> BoxBody {
        BoxBody::new(Answer { body, _incoming: self })
    }
}

/// Ends the connection with the answer where a body in chunks was not read to its end. The framework would read on for as
/// long as chunks come, which may be for ever, if nobody held the body by the time the answer is sent.
pub(super) async fn hang_up<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let incoming = Incoming(Rc::new(RefCell::new(request.parts_mut().1.take())));
    request.set_payload(Payload::Stream {
        payload: Box::pin(incoming.clone()),
    });
    match next.call(request).await {
        Ok(response) => {
            let response = response.map_into_boxed_body();
            let held = response.map_body(|_, body| incoming.answered_by(body));
            Ok(held.map_into_right_body())
        }
        Err(error) => {
            let response = error.error_response();
            let held = response.map_body(|_, body| incoming.answered_by(body));
            Err(InternalError::from_response(error, held).into())
        }
    }
}
