//! Serving: the API on one address, the metrics on another.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use actix_web::{HttpServer, dev::ServerHandle};
use futures_util::future::{Either, select};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};

use super::{Draining, House, app, scrape};

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// For the API.
    pub api: SocketAddr,
    /// For the metrics, which are nobody else's business.
    pub metrics: SocketAddr,
    /// How long it goes on accepting requests once it was told to end.
    pub drain: Duration,
}

/// How long the head of a request may take to arrive; after that, 408.
const SLOWEST_HEAD: Duration = Duration::from_secs(5);
/// How long requests may take to end once the server was told to stop, in seconds.
const SLOWEST_END: u64 = 25;
/// How long the connections that wait on the socket may take to be accepted and to bring a request, once no more come.
const LAST_REQUEST: Duration = Duration::from_millis(500);
/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Serves until told to end. SIGTERM drains first, so that whoever sends requests here notices; SIGINT does not. Then nothing
/// more is accepted, and what has begun is ended. Told so twice, it ends at once. `page` tells the metrics.
pub async fn serve(house: House, listen: Listen, page: impl Fn() -> String + Clone + Send + 'static) -> io::Result<()> {
    let metrics = scrape::server(&house, listen.metrics, page)?;
    let draining = house.draining();
    let socket = bound(listen.api)?;
    let api = HttpServer::new(move || app(&house))
        .client_request_timeout(SLOWEST_HEAD)
        .shutdown_timeout(SLOWEST_END)
        .disable_signals()
        .listen(socket.try_clone()?.into())?
        .run();
    let mut signals = Signals::new()?;
    tracing::info!(api = %listen.api, metrics = %listen.metrics, "listening");
    let (metrics_handle, handle) = (metrics.handle(), api.handle());
    let (metrics, mut api) = (actix_web::rt::spawn(metrics), actix_web::rt::spawn(api));
    let drain = match select(pin!(signals.next()), &mut api).await {
        Either::Left((told, _)) if told == SignalKind::terminate() => listen.drain,
        Either::Left(_) => Duration::ZERO,
        Either::Right((ended, _)) => return ended.map_err(io::Error::other)?,
    };
    if let Either::Right(_) = select(pin!(end(&draining, drain, socket, handle)), pin!(signals.next())).await {
        return Err(io::Error::other("told twice to end: what had begun was cut off"));
    }
    metrics_handle.stop(false).await;
    metrics.await.map_err(io::Error::other)??;
    api.await.map_err(io::Error::other)?
}

/// Drains, accepts nothing more, and ends what has begun.
async fn end(draining: &Draining, drain: Duration, socket: Socket, server: ServerHandle) {
    tracing::info!(seconds = drain.as_secs(), "draining");
    draining.begin();
    sleep(drain).await;
    // To close the socket now would reset the connections that wait there, or whose request is still on its way.
    match take_no_more(&socket) {
        Ok(()) => sleep(LAST_REQUEST).await,
        Err(error) => tracing::warn!(%error, "connections that are just being made may be reset"),
    }
    drop(socket);
    server.stop(true).await;
}

/// Lets no new connection come to a socket that listens, and leaves those that wait there: Linux knows no plainer way to that
/// than a filter of packets, which drops what has the flag SYN in octet 13 of the header of TCP (RFC 9293, section 3.1).
#[cfg(target_os = "linux")]
fn take_no_more(socket: &Socket) -> io::Result<()> {
    use socket2::SockFilter;
    socket.attach_filter(&[
        SockFilter::new(0x30, 0, 0, 13),       // load that octet
        SockFilter::new(0x54, 0, 0, 0x02),     // and SYN
        SockFilter::new(0x15, 0, 1, 0x02),     // if it is not set, skip one
        SockFilter::new(0x06, 0, 0, 0),        // drop
        SockFilter::new(0x06, 0, 0, u32::MAX), // pass
    ])
}

#[cfg(not(target_os = "linux"))]
fn take_no_more(_: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A socket that listens.
fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// The signals that tell the service to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next.
    async fn next(&mut self) -> SignalKind {
        match select(pin!(self.terminate.recv()), pin!(self.interrupt.recv())).await {
            Either::Left(_) => SignalKind::terminate(),
            Either::Right(_) => SignalKind::interrupt(),
        }
    }
}
