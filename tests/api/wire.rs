//! The service over real HTTP: byte for byte what goes over the wire, to a server in this process or to the real binary.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    HttpServer,
    dev::ServerHandle,
    http::header::{HeaderMap, HeaderName, HeaderValue},
    test::TestRequest,
    web::Bytes,
};
use futures_util::StreamExt;
use meaningful_connections::http::{House, app};
use tempfile::TempDir;

use crate::{
    app::{Answer, Call, PUBLIC_URL, TestApp},
    ports::free_port,
};

/// Longer than anything takes that ends at all.
const LONGEST: Duration = Duration::from_secs(60);

/// Sends these bytes and reads until the server has no more to say.
pub fn exchange(address: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONGEST))?;
    stream.set_write_timeout(Some(LONGEST))?;
    // A server that has heard enough answers and closes, whatever is still being sent.
    let sent = stream.write_all(request);
    let answer = read_all(&mut stream)?;
    if answer.is_empty() {
        sent?;
    }
    Ok(answer)
}

/// Reads until the connection ends, be it broken off.
pub fn read_all(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut answer, mut some) = (Vec::new(), vec![0; 65536]);
    loop {
        match stream.read(&mut some) {
            Ok(0) => return Ok(answer),
            Ok(read) => answer.extend_from_slice(&some[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(answer),
            Err(error) => return Err(error),
        }
    }
}

/// The first answer in what came over the wire; `None` where there is none.
pub fn first_answer(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        headers.append(name, HeaderValue::from_str(value).expect("a header's value"));
    }
    let body = &bytes[end + 4..];
    let length = headers
        .get("content-length")
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let body = match length {
        Some(length) if length <= body.len() => &body[..length],
        _ => body,
    };
    Some(Answer {
        status,
        headers,
        body: Bytes::copy_from_slice(body),
    })
}

/// A request as bytes, after which the connection is closed.
pub async fn bytes_of(request: TestRequest) -> Vec<u8> {
    let mut request = request.to_request();
    let mut payload = request.take_payload();
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        body.extend_from_slice(&chunk.expect("a part of the body"));
    }
    let head = request.head();
    let mut bytes = format!(
        "{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
        head.method, head.uri
    )
    .into_bytes();
    for (name, value) in head.headers() {
        bytes.extend_from_slice(format!("{name}: ").as_bytes());
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    if !body.is_empty() && !head.headers().contains_key("content-length") {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

/// Requests over the wire, to this address.
pub fn call(address: SocketAddr) -> Call {
    Rc::new(move |request| {
        Box::pin(async move {
            let request = bytes_of(request).await;
            let answer = actix_web::web::block(move || exchange(address, &request)).await;
            let answer = answer.expect("a thread").expect("an exchange");
            first_answer(&answer).unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(&answer)))
        })
    })
}

/// The service of a test, listening.
pub struct Listening {
    pub address: SocketAddr,
    handle: ServerHandle,
}

impl Listening {
    /// Listens on a port of its own, with the test's database and clock.
    pub fn start(test: &TestApp) -> Self {
        let (db, gate) = (Arc::clone(&test.db), Arc::clone(&test.gate));
        let house = House::new(db, gate, PUBLIC_URL.to_owned(), Vec::new()).expect("a document");
        let server = HttpServer::new(move || app(&house)).workers(1).disable_signals();
        let server = server.bind(("127.0.0.1", 0)).expect("a port");
        let address = *server.addrs().first().expect("an address");
        let server = server.run();
        let handle = server.handle();
        drop(actix_web::rt::spawn(server));
        Self { address, handle }
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// The real binary, serving; it ends with the test.
pub struct Server {
    pub api: SocketAddr,
    pub metrics: SocketAddr,
    child: Child,
    logs: PathBuf,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed by then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], free_port()).into()
}

impl Server {
    /// Serves a test's database, beside the test's own service: its tokens count here, too.
    pub async fn start(test: &TestApp, log: &str) -> Self {
        let (api, metrics) = (free_address(), free_address());
        let folder = TempDir::new().expect("a folder");
        let logs = folder.path().join("log");
        let child = Command::new(env!("CARGO_BIN_EXE_meaningful-connections"))
            .args(["--listen", &api.to_string(), "--metrics-listen", &metrics.to_string()])
            .args(["--public-url", PUBLIC_URL, "--log", log, "--log-format", "json"])
            .env("DATABASE_URL", test.database.url())
            .env("DATA_DIR", folder.path())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&logs).expect("a file for the log"))
            .spawn()
            .expect("the binary runs");
        let server = Self {
            api,
            metrics,
            child,
            logs,
            _folder: folder,
        };
        let probe = b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        for _ in 0..600 {
            if exchange(api, probe).is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200")) {
                return server;
            }
            actix_web::rt::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server is never ready: {}", server.log());
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.logs).expect("the log")
    }

    /// How much memory it has, in KiB, where the system tells.
    pub fn resident_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }

    /// The page of metrics.
    pub fn page_of_metrics(&self) -> String {
        let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answer = exchange(self.metrics, request).expect("metrics");
        String::from_utf8_lossy(&answer).into_owned()
    }
}
