//! The load: connections of HTTP/1.1 that are kept alive, each asking anew as soon as it is answered.
//!
//! Two threads, half of the connections each, one `epoll` a thread; the same shape as `wrk -t2`, which cannot do all of what is asked here
//! (a precondition from the answer before, drafts that are used up). It prints `begin` after the warm-up, `end` at the end, and then
//! its figures as JSON; what fails is counted, and the first failure shown.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on ends, and its figures go to stdout"
)]

use std::{
    fs,
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use rand::seq::IndexedRandom;
use serde_json::json;
use uuid::Uuid;

/// Asks a server, and says how fast it answers.
#[derive(Parser)]
struct Options {
    /// Where the server listens.
    #[arg(long)]
    address: SocketAddr,
    /// How many connections.
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How long nothing counts, in seconds.
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
    /// How long everything counts, in seconds.
    #[arg(long, default_value_t = 8.0)]
    seconds: f64,
    /// A file with the bearer token.
    #[arg(long)]
    token: Option<String>,
    /// A file for the `Location` of everything that was created, a line each.
    #[arg(long)]
    locations: Option<String>,
    #[command(subcommand)]
    work: WorkOptions,
}

#[derive(Subcommand)]
enum WorkOptions {
    /// GET: the file has paths, one of which is asked for at random.
    Get { paths: String },
    /// POST of a body to a path.
    Post {
        path: String,
        body: String,
        /// With an `Idempotency-Key` that is never the same.
        #[arg(long)]
        keyed: bool,
    },
    /// PATCH with `If-Match`: each connection has a path of its own, and takes the bodies in turn, a line each.
    Patch { paths: String, bodies: String },
    /// POST without a body, once to each path.
    Each { paths: String },
}

/// What is asked.
enum Work {
    Get(Vec<String>),
    Post { path: String, body: String, keyed: bool },
    Patch { paths: Vec<String>, bodies: Vec<String> },
    Each { paths: Vec<String>, next: AtomicUsize },
}

fn lines(file: &str) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a file");
    text.lines().map(ToOwned::to_owned).collect()
}

impl From<WorkOptions> for Work {
    fn from(options: WorkOptions) -> Self {
        match options {
            WorkOptions::Get { paths } => Self::Get(lines(&paths)),
            WorkOptions::Post { path, body, keyed } => Self::Post {
                path,
                body: fs::read_to_string(body).expect("a body"),
                keyed,
            },
            WorkOptions::Patch { paths, bodies } => Self::Patch {
                paths: lines(&paths),
                bodies: lines(&bodies),
            },
            WorkOptions::Each { paths } => Self::Each {
                paths: lines(&paths),
                next: AtomicUsize::new(0),
            },
        }
    }
}

/// What all connections share.
struct Load {
    address: SocketAddr,
    work: Work,
    /// The headers of every request.
    headers: String,
    keeps_locations: bool,
    begin: Instant,
    end: Instant,
    /// When what there was to ask was used up.
    used_up: OnceLock<Instant>,
}

impl Load {
    /// Writes the next request of a connection; false where there is nothing left to ask.
    fn ask(&self, number: usize, asked: usize, etag: &str, out: &mut Vec<u8>) -> bool {
        let headers = &self.headers;
        match &self.work {
            Work::Get(paths) => {
                let path = paths.choose(&mut rand::rng()).expect("a path");
                write!(out, "GET {path} HTTP/1.1\r\n{headers}\r\n")
            }
            Work::Post { path, body, keyed } => {
                let key = if *keyed {
                    format!("Idempotency-Key: \"{}\"\r\n", Uuid::now_v7())
                } else {
                    String::new()
                };
                let length = body.len();
                write!(
                    out,
                    "POST {path} HTTP/1.1\r\n{headers}{key}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
                )
            }
            Work::Patch { paths, bodies } => {
                let path = paths.get(number).expect("a path for each connection");
                if etag.is_empty() {
                    write!(out, "GET {path} HTTP/1.1\r\n{headers}\r\n")
                } else {
                    let body = bodies.get((number + asked) % bodies.len()).expect("a body");
                    let length = body.len();
                    write!(
                        out,
                        "PATCH {path} HTTP/1.1\r\n{headers}If-Match: {etag}\r\nContent-Type: application/merge-patch+json\r\nContent-Length: {length}\r\n\r\n{body}"
                    )
                }
            }
            Work::Each { paths, next } => match paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                Some(path) => write!(out, "POST {path} HTTP/1.1\r\n{headers}Content-Length: 0\r\n\r\n"),
                None => {
                    self.used_up.get_or_init(Instant::now);
                    return false;
                }
            },
        }
        .expect("memory");
        true
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.end || self.used_up.get().is_some()
    }
}

/// What the answers were.
#[derive(Default)]
struct Tally {
    /// How long each answer took that came while everything counts, in nanoseconds.
    took: Vec<u64>,
    failed: usize,
    first_failure: String,
    locations: Vec<String>,
}

impl Tally {
    fn fail(&mut self, what: impl FnOnce() -> String) {
        self.failed += 1;
        if self.first_failure.is_empty() {
            self.first_failure = what();
        }
    }

    fn add(&mut self, other: Self) {
        self.took.extend(other.took);
        self.failed += other.failed;
        self.locations.extend(other.locations);
        if self.first_failure.is_empty() {
            self.first_failure = other.first_failure;
        }
    }

    /// The latency below which so many of a hundred answers lie, in milliseconds; `took` is sorted.
    fn percentile(&self, percent: usize) -> Option<f64> {
        let place = (self.took.len() * percent).div_ceil(100).max(1) - 1;
        let nanoseconds = self.took.get(place)?;
        Some(Duration::from_nanos(*nanoseconds).as_secs_f64() * 1e3)
    }
}

/// The head of an answer.
struct Head {
    status: u16,
    /// Bytes of head and body together.
    length: usize,
    etag: String,
    location: String,
}

impl Head {
    /// The head, once all of it is there.
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let text = std::str::from_utf8(bytes.get(..end)?).expect("a head of text");
        let mut head = Self {
            status: text
                .get(9..12)
                .and_then(|status| status.parse().ok())
                .expect("a status"),
            length: end + 4,
            etag: String::new(),
            location: String::new(),
        };
        for line in text.lines().skip(1) {
            let (name, value) = line.split_once(':').expect("a header");
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                head.length += value.parse::<usize>().expect("a length");
            } else if name.eq_ignore_ascii_case("etag") {
                value.clone_into(&mut head.etag);
            } else if name.eq_ignore_ascii_case("location") {
                value.clone_into(&mut head.location);
            } else {
                assert!(!name.eq_ignore_ascii_case("transfer-encoding"), "an answer in chunks");
            }
        }
        Some(head)
    }
}

/// One connection: what is still to be sent, and what has come so far.
struct Connection {
    stream: TcpStream,
    number: usize,
    asked: usize,
    etag: String,
    out: Vec<u8>,
    sent: usize,
    buffer: Vec<u8>,
    filled: usize,
    head: Option<Head>,
    since: Instant,
    is_done: bool,
}

impl Connection {
    fn open(load: &Load, number: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(load.address)?;
        stream.set_nodelay(true)?;
        let mut connection = Self {
            stream,
            number,
            asked: 0,
            etag: String::new(),
            out: Vec::new(),
            sent: 0,
            buffer: vec![0; 64 * 1024],
            filled: 0,
            head: None,
            since: Instant::now(),
            is_done: false,
        };
        connection.prepare(load);
        Ok(connection)
    }

    fn prepare(&mut self, load: &Load) {
        self.out.clear();
        (self.sent, self.filled, self.head) = (0, 0, None);
        self.since = Instant::now();
        self.is_done = load.is_over(self.since) || !load.ask(self.number, self.asked, &self.etag, &mut self.out);
        self.asked += 1;
    }

    /// Goes on until the other side has to.
    fn go_on(&mut self, load: &Load, tally: &mut Tally) -> io::Result<()> {
        while !self.is_done {
            while let Some(rest) = self.out.get(self.sent..).filter(|rest| !rest.is_empty()) {
                self.sent += self.stream.write(rest)?;
            }
            if self.filled == self.buffer.len() {
                self.buffer.resize(self.filled * 2, 0);
            }
            let came = self.stream.read(self.buffer.get_mut(self.filled..).expect("a rest"))?;
            if came == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.filled += came;
            let bytes = self.buffer.get(..self.filled).expect("what came");
            if self.head.is_none() {
                self.head = Head::read(bytes);
            }
            if self.head.as_ref().is_some_and(|head| self.filled >= head.length) {
                self.answered(load, tally);
                self.prepare(load);
                if self.is_done {
                    return Ok(());
                }
                // Nothing can have come yet: asking whether it has would cost a system call.
                let rest = self.out.get(self.sent..).unwrap_or_default();
                self.sent += self.stream.write(rest)?;
                if self.sent == self.out.len() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn answered(&mut self, load: &Load, tally: &mut Tally) {
        let Some(head) = self.head.take() else { return };
        let now = Instant::now();
        if !(200..300).contains(&head.status) {
            let bytes = self.buffer.get(..self.filled).unwrap_or_default();
            tally.fail(|| String::from_utf8_lossy(bytes).chars().take(1000).collect());
        } else if now >= load.begin && now < load.end {
            let took = now.duration_since(self.since).as_nanos();
            tally.took.push(u64::try_from(took).unwrap_or(u64::MAX));
        }
        self.etag = head.etag;
        if load.keeps_locations {
            tally.locations.push(head.location);
        }
    }
}

/// Serves some of the connections until the end.
fn drive(load: &Load, numbers: impl Iterator<Item = usize>) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    let mut connections = Vec::new();
    for number in numbers {
        let mut connection = Connection::open(load, number)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry()
            .register(&mut connection.stream, Token(connections.len()), interest)?;
        connections.push(connection);
    }
    while !connections.iter().all(|connection| connection.is_done) {
        // An answer that does not come within ten seconds of the end will not come.
        if Instant::now() > load.end + Duration::from_secs(10) {
            let waiting = connections.iter().filter(|connection| !connection.is_done).count();
            tally.fail(|| format!("{waiting} requests were never answered"));
            break;
        }
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        for event in &events {
            let Some(connection) = connections.get_mut(event.token().0) else {
                continue;
            };
            match connection.go_on(load, &mut tally) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock || error.kind() == ErrorKind::NotConnected => {}
                Err(error) => {
                    tally.fail(|| error.to_string());
                    connection.is_done = true;
                }
            }
        }
    }
    Ok(tally)
}

/// Waits until a moment, or until there is nothing left to ask.
fn wait(load: &Load, until: Instant) {
    while Instant::now() < until && load.used_up.get().is_none() {
        thread::sleep(
            until
                .saturating_duration_since(Instant::now())
                .min(Duration::from_millis(5)),
        );
    }
}

fn main() {
    let options = Options::parse();
    let token = options
        .token
        .map(|file| fs::read_to_string(file).expect("a token"))
        .map_or_else(String::new, |token| {
            format!("Authorization: Bearer {}\r\n", token.trim())
        });
    let begin = Instant::now() + Duration::from_secs_f64(options.warm_up);
    let load = Load {
        address: options.address,
        work: options.work.into(),
        headers: format!("Host: {}\r\nAccept: application/json\r\n{token}", options.address),
        keeps_locations: options.locations.is_some(),
        begin,
        end: begin + Duration::from_secs_f64(options.seconds),
        used_up: OnceLock::new(),
    };
    let threads = options.connections.min(2);
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let load = &load;
        let drivers: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || drive(load, (thread..options.connections).step_by(threads))))
            .collect();
        wait(load, load.begin);
        println!("begin");
        wait(load, load.end);
        println!("end");
        for driver in drivers {
            match driver.join().expect("a thread") {
                Ok(some) => tally.add(some),
                Err(error) => tally.fail(|| error.to_string()),
            }
        }
    });
    let end = load.used_up.get().copied().unwrap_or(load.end).min(load.end);
    tally.took.sort_unstable();
    if let Some(file) = options.locations {
        fs::write(file, tally.locations.join("\n") + "\n").expect("a file");
    }
    let figures = json!({
        "requests": tally.took.len(),
        "seconds": end.saturating_duration_since(load.begin).as_secs_f64(),
        "p50": tally.percentile(50),
        "p99": tally.percentile(99),
        "failed": tally.failed,
        "first_failure": tally.first_failure,
    });
    println!("{figures}");
}
