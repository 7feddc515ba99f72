//! A client of HTTP/1.1 that knows what became of each request: answered, never accepted, or cut off.

use std::{
    io::{BufRead, BufReader, ErrorKind, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// How long an answer may take: longer than the server waits for its database.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<String>,
}

impl Request {
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            ..Self::default()
        }
    }

    /// A request with a body in JSON, or with none.
    pub fn new(method: &'static str, path: impl Into<String>, body: Option<&Value>) -> Self {
        let request = Self {
            method,
            path: path.into(),
            ..Self::default()
        };
        match body {
            None => request,
            Some(body) => request.body(body.to_string()).with("Content-Type", "application/json"),
        }
    }

    #[must_use]
    pub fn body(self, body: impl Into<String>) -> Self {
        Self {
            body: Some(body.into()),
            ..self
        }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A problem's code.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody listens.
    NotAccepted,
    /// The connection, which was fresh or had answered before, ended before the answer did.
    Cut { fresh: bool },
    /// Nothing came for too long.
    Silent,
}

/// A connection that is kept alive for as long as the server does, and opened anew when it is needed.
pub struct Connection {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// Sends a request once.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, Unanswered> {
        let kept = self.stream.take().filter(is_open);
        let fresh = kept.is_none();
        let mut stream = match kept {
            Some(stream) => stream,
            None => BufReader::new(self.connect().ok_or(Unanswered::NotAccepted)?),
        };
        let answer = exchange(&mut stream, self.address, request).map_err(|error| match error {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Unanswered::Silent,
            _ => Unanswered::Cut { fresh },
        })?;
        if !answer.header("connection").eq_ignore_ascii_case("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    fn connect(&self) -> Option<TcpStream> {
        let stream = TcpStream::connect_timeout(&self.address, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_nodelay(true).ok()?;
        Some(stream)
    }
}

/// Whether the server has not closed it meanwhile: a client looks before it reuses a connection.
fn is_open(stream: &BufReader<TcpStream>) -> bool {
    let socket = stream.get_ref();
    let looked = socket.set_nonblocking(true).and_then(|()| socket.peek(&mut [0]));
    matches!(looked, Err(error) if error.kind() == ErrorKind::WouldBlock) && socket.set_nonblocking(false).is_ok()
}

fn exchange(stream: &mut BufReader<TcpStream>, host: SocketAddr, request: &Request) -> Result<Answer, ErrorKind> {
    let body = request.body.as_deref().unwrap_or_default();
    let mut headers = vec![("Host", host.to_string())];
    headers.extend(request.headers.iter().cloned());
    if request.method != "GET" {
        headers.push(("Content-Length", body.len().to_string()));
    }
    let headers: String = headers
        .iter()
        .flat_map(|(name, value)| [name, ": ", value, "\r\n"])
        .collect();
    let message = format!("{} {} HTTP/1.1\r\n{headers}\r\n{body}", request.method, request.path);
    stream
        .get_mut()
        .write_all(message.as_bytes())
        .map_err(|error| error.kind())?;
    loop {
        let answer = read(stream)?;
        // Informational answers come before the final one.
        if answer.status >= 200 {
            return Ok(answer);
        }
    }
}

fn read(stream: &mut impl BufRead) -> Result<Answer, ErrorKind> {
    let mut line = || -> Result<String, ErrorKind> {
        let mut line = String::new();
        match stream.read_line(&mut line).map_err(|error| error.kind())? {
            0 => Err(ErrorKind::UnexpectedEof),
            _ => Ok(line.trim_end().to_owned()),
        }
    };
    let status = line()?.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(ErrorKind::InvalidData)?;
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).map_err(|error| error.kind())?;
    Ok(Answer { status, headers, body })
}
