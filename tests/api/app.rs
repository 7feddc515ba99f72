//! A whole service for one test, with a database of its own, and clients that call it.

use std::{
    rc::Rc,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::{
    body::to_bytes,
    dev::Service,
    http::{Method, header::HeaderMap},
    test::TestRequest,
    web::Bytes,
};
use chrono::Utc;
use diesel::{Connection, PgConnection, RunQueryDsl, connection::CacheSize, sql_query};
use futures_util::future::LocalBoxFuture;
use meaningful_connections::{
    auth::{gate::Gate, keys, scope::ScopeSet, secret::new_client},
    domain::{
        access::Actor,
        id::{ClientId, OrganisationId},
        moment::Moment,
    },
    http::{Draining, House, app},
    service::bootstrap,
    store::{
        db::{Clock, Db},
        fork::Place,
    },
};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Where callers reach the service under test.
pub const PUBLIC_URL: &str = "http://localhost:8080";

/// How a client's requests reach the service.
pub type Call = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>;

/// A service with a database of its own.
pub struct TestApp {
    pub db: Arc<Db>,
    pub gate: Arc<Gate>,
    pub draining: Draining,
    call: Call,
    /// Microseconds by which the service's clock is ahead.
    ahead: Arc<AtomicI64>,
    // Dropped last: the database goes with it.
    pub database: Database,
}

/// A database that goes with its test.
pub enum Database {
    Sqlite(TempDir),
    Postgres(String),
}

impl Database {
    /// A migrated and seeded one.
    pub fn new() -> Self {
        TEMPLATE.copy()
    }

    /// Its URL.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("test.sqlite").display()),
            Self::Postgres(name) => postgres_url(name),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres(name) = self {
            admin(&format!("DROP DATABASE \"{name}\" WITH (FORCE)")).expect("the test's database can be dropped");
        }
    }
}

/// Whether this run of the suite is on PostgreSQL.
pub fn on_postgres() -> bool {
    match std::env::var("TEST_DATABASE").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("TEST_DATABASE is sqlite or postgres, not {other}"),
    }
}

fn postgres_url(name: &str) -> String {
    let server = std::env::var("TEST_POSTGRES_URL").expect("tests/run starts a PostgreSQL and sets TEST_POSTGRES_URL");
    server.replace("/postgres?", &format!("/{name}?"))
}

/// A connection of a test's own to PostgreSQL, through whatever the service goes through.
pub fn connect(url: &str) -> PgConnection {
    // This parameter is the service's: libpq does not know it.
    let mut conn = PgConnection::establish(&url.replace("&pgbouncer=true", "")).expect("PostgreSQL answers");
    conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    conn
}

fn admin(sql: &str) -> diesel::QueryResult<usize> {
    sql_query(sql).execute(&mut connect(&postgres_url("postgres")))
}

/// A migrated and seeded database that every test's own one is copied from.
static TEMPLATE: LazyLock<Template> = LazyLock::new(Template::make);

enum Template {
    Sqlite(TempDir),
    Postgres(String),
}

impl Template {
    fn make() -> Self {
        let (template, url) = if on_postgres() {
            let name = format!("template_{}", std::process::id());
            admin(&format!("CREATE DATABASE \"{name}\"")).expect("a template database");
            let url = postgres_url(&name);
            (Self::Postgres(name), url)
        } else {
            let folder = TempDir::new().expect("a folder");
            let url = format!("sqlite:{}", folder.path().join("template.sqlite").display());
            (Self::Sqlite(folder), url)
        };
        let db = Db::open(&Place::parse(&url).expect("a URL"), clock(&Arc::default())).expect("threads");
        db.migrate().expect("migrations");
        let key = keys::generate().expect("a key");
        db.write_now(Actor::SERVICE, move |tx| bootstrap::first_start(tx, &key))
            .expect("a first start");
        template
    }

    fn copy(&self) -> Database {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // The template's own connections close in their own time, and a pooler's never: only then is it whole, and free to
        // be copied.
        for _ in 0..200 {
            match self {
                Self::Sqlite(folder) => {
                    let (file, log) = (
                        folder.path().join("template.sqlite"),
                        folder.path().join("template.sqlite-wal"),
                    );
                    if !log.exists() {
                        let own = TempDir::new().expect("a folder");
                        std::fs::copy(file, own.path().join("test.sqlite")).expect("a copy");
                        return Database::Sqlite(own);
                    }
                }
                Self::Postgres(template) => {
                    let idle =
                        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'");
                    admin(&idle).expect("nobody needs them any more");
                    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                    let name = format!("test_{}_{number}", std::process::id());
                    if admin(&format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"")).is_ok() {
                        return Database::Postgres(name);
                    }
                }
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the template database is never free");
    }
}

fn clock(ahead: &Arc<AtomicI64>) -> Clock {
    let ahead = Arc::clone(ahead);
    Arc::new(move || {
        let now = Moment::from(Utc::now());
        Moment::from_micros(now.micros() + ahead.load(Ordering::SeqCst)).expect("a moment")
    })
}

impl TestApp {
    /// A service with an empty database: the seed model and the built-in perspectives are there, no organisation is.
    pub async fn new() -> Self {
        let database = Database::new();
        let ahead = Arc::default();
        let place = Place::parse(&database.url()).expect("a URL");
        let db = Arc::new(Db::open(&place, clock(&ahead)).expect("threads"));
        let gate = Arc::new(Gate::start(Arc::clone(&db), PUBLIC_URL).expect("a gate"));
        let origins = vec!["https://front.example".to_owned()];
        let house = House::new(Arc::clone(&db), Arc::clone(&gate), PUBLIC_URL.to_owned(), origins).expect("a document");
        let draining = house.draining();
        let service = Rc::new(actix_web::test::init_service(app(&house)).await);
        let call: Call = Rc::new(move |request| {
            let service = Rc::clone(&service);
            Box::pin(async move {
                let request = request.peer_addr(([127, 0, 0, 1], 4711).into()).to_request();
                match service.call(request).await {
                    Ok(response) => Answer::of(response.into_parts().1.map_into_boxed_body()).await,
                    Err(error) => Answer::of(error.error_response()).await,
                }
            })
        });
        Self {
            db,
            gate,
            draining,
            call,
            ahead,
            database,
        }
    }

    /// A new organisation, seen through a client that may do all an organisation may.
    pub fn organisation(&self, name: &str) -> Client {
        let (new, _) = new_client(name.to_owned(), ScopeSet::of_organisation()).expect("a client");
        let organisation = OrganisationId::from_uuid(Uuid::now_v7());
        let (id, name) = (new.id, name.to_owned());
        self.db
            .write_now(Actor::service_for(organisation), move |tx| {
                bootstrap::found(tx, &name, &new)
            })
            .expect("an organisation");
        self.client(organisation, id, &ScopeSet::of_organisation().to_string())
    }

    /// A client with these scopes, whether or not it is kept anywhere.
    pub fn client(&self, organisation: OrganisationId, id: ClientId, scopes: &str) -> Client {
        let token = self
            .gate
            .issue(id, organisation, ScopeSet::known(scopes), self.db.now())
            .expect("a token");
        Client {
            call: Rc::clone(&self.call),
            token: Some(token),
            organisation,
            id,
        }
    }

    /// Somebody without a token.
    pub fn nobody(&self) -> Client {
        Client {
            call: Rc::clone(&self.call),
            token: None,
            organisation: OrganisationId::NIL,
            id: ClientId::NIL,
        }
    }

    /// Lets this much time pass for the service.
    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

/// A caller.
#[derive(Clone)]
pub struct Client {
    call: Call,
    pub token: Option<String>,
    pub organisation: OrganisationId,
    pub id: ClientId,
}

impl Client {
    /// Sends a request as it is, with the caller's token unless it has an `Authorization` of its own.
    pub async fn send(&self, request: TestRequest) -> Answer {
        let request = match &self.token {
            Some(token) => request.insert_header(("Authorization", format!("Bearer {token}"))),
            None => request,
        };
        (self.call)(request).await
    }

    /// The same client, whose requests go another way.
    pub fn by(&self, call: &Call) -> Self {
        Self {
            call: Rc::clone(call),
            ..self.clone()
        }
    }

    pub async fn get(&self, uri: &str) -> Answer {
        self.send(TestRequest::get().uri(uri)).await
    }

    pub async fn post(&self, uri: &str, body: Value) -> Answer {
        self.send(TestRequest::post().uri(uri).set_json(body)).await
    }

    /// An action: a POST without a body.
    pub async fn act(&self, uri: &str) -> Answer {
        self.send(TestRequest::post().uri(uri)).await
    }

    pub async fn put(&self, uri: &str, body: Value) -> Answer {
        self.send(TestRequest::put().uri(uri).set_json(body)).await
    }

    /// A merge patch of what stands: its ETag is fetched first.
    pub async fn patch(&self, uri: &str, body: Value) -> Answer {
        let etag = self.get(uri).await.etag();
        self.patch_if(uri, &etag, body).await
    }

    pub async fn patch_if(&self, uri: &str, etag: &str, body: Value) -> Answer {
        let request = TestRequest::patch().uri(uri).set_payload(body.to_string());
        let request = request.insert_header(("Content-Type", "application/merge-patch+json"));
        self.send(request.insert_header(("If-Match", etag))).await
    }

    /// Deletes what stands: its ETag is fetched first.
    pub async fn delete(&self, uri: &str) -> Answer {
        let etag = self.get(uri).await.etag();
        self.send(TestRequest::delete().uri(uri).insert_header(("If-Match", etag)))
            .await
    }

    /// A draft with every element rated alike.
    pub async fn draft(&self, perspective: &str, current: &str, desired: &str) -> Answer {
        let body = assessment(perspective, current, desired);
        let made = self.post("/v1/assessments", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made
    }

    /// A submitted assessment with every element rated alike: its URI.
    pub async fn submitted(&self, perspective: &str, current: &str, desired: &str) -> String {
        let uri = self.draft(perspective, current, desired).await.uri();
        let submitted = self.act(&format!("{uri}/submit")).await;
        assert_eq!(submitted.status, 200, "{}", submitted.text());
        uri
    }
}

/// The 34 keys of the seed model, in model order.
pub fn keys_of_the_model() -> Vec<String> {
    let definition = meaningful_connections::domain::model::meaningful_connections().expect("the seed");
    definition.keys().map(ToString::to_string).collect()
}

/// A complete assessment of the seed model, with every element rated alike.
pub fn assessment(perspective: &str, current: &str, desired: &str) -> Value {
    let ratings: serde_json::Map<String, Value> = keys_of_the_model()
        .into_iter()
        .map(|key| (key, json!({"current": current, "desired": desired})))
        .collect();
    json!({"model": "meaningful-connections", "perspective": perspective, "ratings": ratings})
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    async fn of(response: actix_web::HttpResponse) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.expect("a body");
        Self { status, headers, body }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.text()))
    }

    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    }

    pub fn etag(&self) -> String {
        self.header("etag")
    }

    /// Where the new resource is.
    pub fn uri(&self) -> String {
        self.header("location")
    }

    /// A problem's code.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A problem's faults, as `pointer code`.
    pub fn faults(&self) -> Vec<String> {
        let faults = self.json()["errors"].as_array().cloned().unwrap_or_default();
        let line = |fault: &Value| {
            format!(
                "{} {}",
                fault["pointer"].as_str().unwrap_or("?"),
                fault["code"].as_str().unwrap_or("?")
            )
        };
        faults.iter().map(line).collect()
    }
}

/// A method by its name.
pub fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).expect("a method")
}
