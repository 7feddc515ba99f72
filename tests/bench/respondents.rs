//! The respondents of a round: each is a thread with a connection of its own that does what a front end does for somebody on their
//! phone. They redeem an invitation, read what is there, save rating by rating under `If-Match`, and submit.
//!
//! Whatever was acknowledged has to be there when it is read back: before it is submitted, and afterwards by the receipt. What is not
//! is lost. It prints its figures as JSON; what fails is counted, and the first failure shown.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on ends, and its figures go to stdout"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, ErrorKind, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use serde_json::{Map, Value, json};

/// Many at once, and what became of it.
#[derive(Parser)]
struct Options {
    /// Where the server listens.
    #[arg(long)]
    address: SocketAddr,
    /// How many at the same time.
    #[arg(long)]
    at_once: usize,
    #[command(subcommand)]
    work: Work,
}

#[derive(Subcommand)]
enum Work {
    /// Answer: the files have tokens of invitations, each of which is taken once, and the keys of the model's elements.
    Answer {
        tokens: String,
        keys: String,
        /// How long somebody thinks about each rating, in seconds.
        #[arg(long, default_value_t = 0.0)]
        pause: f64,
        /// All ratings in one save, and nothing read back.
        #[arg(long)]
        whole: bool,
    },
    /// GET each path of the file once, with the bearer token of another.
    Read { paths: String, token: String },
}

/// What is asked, as its figures are told.
type What = &'static str;

/// What the answers were.
#[derive(Default)]
struct Tally {
    /// How long each answer took, in nanoseconds.
    took: BTreeMap<What, Vec<u64>>,
    /// How many answers had which status.
    statuses: BTreeMap<u16, usize>,
    /// How often somebody was told to come back later.
    waited: usize,
    /// What was acknowledged and not there when it was read.
    lost: usize,
    failed: usize,
    first_failure: String,
}

impl Tally {
    fn fail(&mut self, what: String) {
        self.failed += 1;
        if self.first_failure.is_empty() {
            self.first_failure = what;
        }
    }

    fn add(&mut self, other: Self) {
        for (what, took) in other.took {
            self.took.entry(what).or_default().extend(took);
        }
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.waited += other.waited;
        self.lost += other.lost;
        self.failed += other.failed;
        if self.first_failure.is_empty() {
            self.first_failure = other.first_failure;
        }
    }

    fn figures(mut self, seconds: f64) -> Value {
        let figures = |took: &mut Vec<u64>| {
            took.sort_unstable();
            let percentile = |percent: usize| {
                let place = (took.len() * percent).div_ceil(100).max(1) - 1;
                let nanoseconds = took.get(place).copied().unwrap_or_default();
                Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3
            };
            json!({
                "count": took.len(), "p50": percentile(50), "p95": percentile(95), "p99": percentile(99), "max": percentile(100),
            })
        };
        let took: BTreeMap<_, _> = self
            .took
            .iter_mut()
            .map(|(what, took)| (*what, figures(took)))
            .collect();
        json!({
            "seconds": seconds, "took": took, "statuses": self.statuses, "waited": self.waited, "lost": self.lost,
            "failed": self.failed, "first_failure": self.first_failure,
        })
    }
}

/// An answer with which its caller can go on.
#[derive(Default)]
struct Answer {
    status: u16,
    etag: String,
    retry_after: u64,
    body: Vec<u8>,
}

impl Answer {
    fn read(from: &mut impl BufRead) -> std::io::Result<Self> {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let status = line.get(9..12).and_then(|status| status.parse().ok());
        let mut answer = Self {
            status: status.ok_or(ErrorKind::UnexpectedEof)?,
            ..Self::default()
        };
        let mut length = 0;
        loop {
            line.clear();
            from.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().expect("a length");
            } else if name.eq_ignore_ascii_case("etag") {
                value.clone_into(&mut answer.etag);
            } else if name.eq_ignore_ascii_case("retry-after") {
                answer.retry_after = value.parse().expect("seconds");
            }
        }
        answer.body.resize(length, 0);
        from.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// A text of the answer, which has it.
    fn text(&self, name: &str) -> String {
        self.json().get(name).and_then(Value::as_str).expect(name).to_owned()
    }

    fn ratings(&self) -> Option<Map<String, Value>> {
        self.json().get("ratings").and_then(Value::as_object).cloned()
    }
}

/// A connection that is kept alive, and who asks over it.
struct Caller<'a> {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    bearer: String,
    tally: &'a mut Tally,
}

impl<'a> Caller<'a> {
    fn connect(address: SocketAddr, bearer: String, tally: &'a mut Tally) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("an option");
        Self {
            address,
            stream: BufReader::new(stream),
            bearer,
            tally,
        }
    }

    /// Asks until the answer is another than to come back later. None where it is no success: that is counted, and ends what was begun.
    fn ask(&mut self, what: What, line: &str, headers: &str, body: &str) -> Option<Answer> {
        let Self { address, bearer, .. } = self;
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n{bearer}{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        loop {
            let since = Instant::now();
            let sent = self.stream.get_mut().write_all(request.as_bytes());
            let answer = match sent.and_then(|()| Answer::read(&mut self.stream)) {
                Ok(answer) => answer,
                Err(error) => {
                    self.tally.fail(format!("{line}: {error}"));
                    return None;
                }
            };
            let took = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
            *self.tally.statuses.entry(answer.status).or_default() += 1;
            match answer.status {
                200..300 => {
                    self.tally.took.entry(what).or_default().push(took);
                    return Some(answer);
                }
                429 => {
                    self.tally.waited += 1;
                    thread::sleep(Duration::from_secs(answer.retry_after.max(1)));
                }
                status => {
                    let said = String::from_utf8_lossy(&answer.body);
                    self.tally.fail(format!("{line}: {status} {said}"));
                    return None;
                }
            }
        }
    }

    fn redeem(&mut self, path: &str, body: &Value) -> Option<String> {
        const JSON: &str = "Content-Type: application/json\r\n";
        self.bearer.clear();
        let redeemed = self.ask("redeem", &format!("POST {path}"), JSON, &body.to_string())?;
        self.bearer = format!("Authorization: Bearer {}\r\n", redeemed.text("access_token"));
        Some(format!("/v1/assessments/{}", redeemed.text("assessment")))
    }

    /// Reads what was acknowledged: whatever of it is not there is lost.
    fn read_back(&mut self, own: &str, acknowledged: &Map<String, Value>) -> Option<()> {
        let there = self
            .ask("read", &format!("GET {own}"), "", "")?
            .ratings()
            .unwrap_or_default();
        self.tally.lost += acknowledged
            .iter()
            .filter(|(key, said)| there.get(*key) != Some(said))
            .count();
        Some(())
    }

    /// One respondent from the invitation to the receipt, and back.
    fn answer(&mut self, number: usize, token: &str, manner: &Manner) -> Option<()> {
        const PATCH: &str = "Content-Type: application/merge-patch+json\r\n";
        let own = self.redeem("/v1/invitations/redeem", &json!({"token": token}))?;
        let mut etag = self.ask("read", &format!("GET {own}"), "", "")?.etag;
        let mut acknowledged = Map::new();
        for ratings in manner.saves(number) {
            thread::sleep(manner.pause);
            let headers = format!("If-Match: {etag}\r\n{PATCH}");
            let body = json!({"ratings": ratings}).to_string();
            etag = self.ask("save", &format!("PATCH {own}"), &headers, &body)?.etag;
            acknowledged.extend(ratings);
        }
        if !manner.whole {
            self.read_back(&own, &acknowledged)?;
        }
        let submitted = self.ask(
            "submit",
            &format!("POST {own}/submit"),
            &format!("If-Match: {etag}\r\n"),
            "",
        )?;
        if !manner.whole {
            let submitted = self.redeem("/v1/receipts/redeem", &json!({"receipt": submitted.text("receipt")}))?;
            self.read_back(&submitted, &acknowledged)?;
        }
        Some(())
    }
}

/// How somebody answers.
struct Manner {
    keys: Vec<String>,
    pause: Duration,
    whole: bool,
}

impl Manner {
    /// What respondent `number` saves, in turn.
    fn saves(&self, number: usize) -> Vec<Map<String, Value>> {
        const LEVELS: [&str; 4] = ["early_stages", "forming", "maturing", "embedded"];
        let level = |place: usize| LEVELS.get(place % 4);
        let rated = |(place, key): (usize, &String)| {
            let rating = json!({"current": level(number + place), "desired": level(number / 4 + place)});
            (key.clone(), rating)
        };
        let all = self.keys.iter().enumerate().map(rated);
        if self.whole {
            vec![all.collect()]
        } else {
            all.map(|one| Map::from_iter([one])).collect()
        }
    }
}

fn lines(file: &str) -> Vec<String> {
    let text = fs::read_to_string(file).expect("a file");
    text.lines().map(ToOwned::to_owned).collect()
}

fn main() {
    let Options { address, at_once, work } = Options::parse();
    let (things, bearer, manner) = match work {
        Work::Answer {
            tokens,
            keys,
            pause,
            whole,
        } => {
            let pause = Duration::from_secs_f64(pause);
            let keys = lines(&keys);
            (lines(&tokens), String::new(), Some(Manner { keys, pause, whole }))
        }
        Work::Read { paths, token } => {
            let token = fs::read_to_string(token).expect("a token");
            (
                lines(&paths),
                format!("Authorization: Bearer {}\r\n", token.trim()),
                None,
            )
        }
    };
    let (next, together) = (AtomicUsize::new(0), Barrier::new(at_once + 1));
    let mut tally = Tally::default();
    let seconds = thread::scope(|scope| {
        let one = || {
            let mut tally = Tally::default();
            let mut caller = Caller::connect(address, bearer.clone(), &mut tally);
            together.wait();
            while let Some((number, thing)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, things.get(n)?)))
            {
                let done = match &manner {
                    Some(manner) => caller.answer(number, thing, manner),
                    None => caller.ask("read", &format!("GET {thing}"), "", "").map(drop),
                };
                if done.is_none() {
                    break;
                }
            }
            tally
        };
        let callers: Vec<_> = (0..at_once).map(|_| scope.spawn(one)).collect();
        together.wait();
        let begun = Instant::now();
        for caller in callers {
            tally.add(caller.join().expect("a thread"));
        }
        begun.elapsed().as_secs_f64()
    });
    println!("{}", tally.figures(seconds));
}
