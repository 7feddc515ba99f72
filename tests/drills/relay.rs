//! What stands between the server and PostgreSQL, and can be told to fail: it cuts connections, or lets them fall silent.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{sleep, spawn},
    time::Duration,
};

/// A relay from a port to PostgreSQL's socket.
#[derive(Clone)]
pub struct Relay {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    socket: PathBuf,
    /// Takes everything, and passes nothing on.
    silent: AtomicBool,
    /// Cuts the connection around every so many'th COMMIT; 0: none.
    every: AtomicUsize,
    commits: AtomicUsize,
    cut: AtomicUsize,
    open: Mutex<Vec<(TcpStream, UnixStream)>>,
}

impl Relay {
    pub fn new(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let relay = Self {
            address: listener.local_addr().expect("an address"),
            state: Arc::new(State {
                socket: socket.to_owned(),
                silent: AtomicBool::new(false),
                every: AtomicUsize::new(0),
                commits: AtomicUsize::new(0),
                cut: AtomicUsize::new(0),
                open: Mutex::default(),
            }),
        };
        let state = Arc::clone(&relay.state);
        // It ends with the process.
        spawn(move || {
            for client in listener.incoming().filter_map(Result::ok) {
                let Ok(server) = UnixStream::connect(&state.socket) else {
                    continue;
                };
                client.set_nodelay(true).expect("a socket");
                let pair = (
                    client.try_clone().expect("a socket"),
                    server.try_clone().expect("a socket"),
                );
                state.open.lock().expect("no panic").push(pair);
                let (from, to) = (
                    client.try_clone().expect("a socket"),
                    server.try_clone().expect("a socket"),
                );
                let shared = Arc::clone(&state);
                spawn(move || shared.asks(from, to));
                let shared = Arc::clone(&state);
                spawn(move || shared.answers(server, client));
            }
        });
        relay
    }

    /// A database's URL through it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}?sslmode=disable", self.address)
    }

    /// Cuts all connections; new ones pass.
    pub fn cut(&self) {
        for (client, server) in self.state.open.lock().expect("no panic").drain(..) {
            drop(client.shutdown(Shutdown::Both));
            drop(server.shutdown(Shutdown::Both));
        }
    }

    /// Passes nothing on, or takes up again.
    pub fn silent(&self, silent: bool) {
        self.state.silent.store(silent, Ordering::SeqCst);
    }

    /// Cuts the connection around every so many'th COMMIT, half of the time after PostgreSQL has committed.
    pub fn cut_commits(&self, every: usize) {
        self.state.every.store(every, Ordering::SeqCst);
    }

    /// How many were cut around a COMMIT.
    pub fn commits_cut(&self) -> usize {
        self.state.cut.load(Ordering::SeqCst)
    }
}

impl State {
    fn wait_for_speech(&self) {
        while self.silent.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(20));
        }
    }

    fn asks(&self, mut client: TcpStream, mut server: UnixStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            self.wait_for_speech();
            let asked = &buffer[..length];
            let every = self.every.load(Ordering::SeqCst);
            if every > 0 && asked.windows(7).any(|word| word == b"COMMIT\0") {
                let number = self.commits.fetch_add(1, Ordering::SeqCst);
                if number.is_multiple_of(every) {
                    self.cut.fetch_add(1, Ordering::SeqCst);
                    // The answer finds nobody: whether PostgreSQL was told to commit is anybody's guess.
                    drop(client.shutdown(Shutdown::Both));
                    if (number / every).is_multiple_of(2) {
                        drop(server.write_all(asked));
                        sleep(Duration::from_millis(30));
                    }
                    break;
                }
            }
            if server.write_all(asked).is_err() {
                break;
            }
        }
        drop(server.shutdown(Shutdown::Both));
        drop(client.shutdown(Shutdown::Both));
    }

    fn answers(&self, mut server: UnixStream, mut client: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = server.read(&mut buffer) {
            self.wait_for_speech();
            if client.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
        drop(server.shutdown(Shutdown::Both));
    }
}
