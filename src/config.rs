//! What the operator chooses, by flags or by the environment.

use std::{
    fs::DirBuilder,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use actix_web::http::Uri;
use clap::{Args, ValueEnum, builder::BoolishValueParser, value_parser};
use tracing_subscriber::EnvFilter;

use crate::store::{backup::beside, error::Error, fork::Place};

/// The database where no URL is given, in the data directory.
const DATABASE: &str = "meaningful-connections.sqlite";

/// The configuration. Every value was checked when it was read, but for the database URL, which is checked by
/// [`place`](Config::place).
#[derive(Clone, Args)]
#[command(next_help_heading = "Configuration")]
pub struct Config {
    /// Where the API listens: address and port
    #[arg(long, env = "LISTEN", global = true, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Where the metrics are: address and port
    #[arg(long, env = "METRICS_LISTEN", global = true, default_value = "127.0.0.1:9090")]
    pub metrics_listen: SocketAddr,

    /// The database: `sqlite:PATH`, `postgres://…` or `postgresql://…` [default: a file in the data directory]
    // A `String`, although it is checked: a complaint of clap's would show it, password and all.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        global = true,
        value_name = "URL"
    )]
    database_url: Option<String>,

    /// The ledger: where erasures and revocations are also written down, so that no backup undoes them; best on another
    /// disk than the database [default: beside a `SQLite` file; none for `PostgreSQL`]
    #[arg(long, env = "ERASURE_LEDGER", global = true, value_name = "FILE")]
    erasure_ledger: Option<PathBuf>,
    /// Replicas of a `PostgreSQL` database, which answer whoever sends a consistency token; separated by commas [default: none]
    #[arg(
        long,
        env = "DATABASE_REPLICA_URL",
        hide_env_values = true,
        global = true,
        value_name = "URL"
    )]
    database_replica_url: Vec<String>,

    /// Where data is kept that is in no other database; created for the owner alone
    #[arg(
        long,
        env = "DATA_DIR",
        global = true,
        default_value = "./data",
        value_name = "DIRECTORY"
    )]
    pub data_dir: PathBuf,

    /// The URL at which the world finds the API: issuer and audience of tokens, and base of links [default: `http://LISTEN`]
    #[arg(long, env = "PUBLIC_URL", global = true, value_name = "URL", value_parser = public_url)]
    public_url: Option<String>,

    /// Origins whose pages may call, separated by commas [default: none]
    #[arg(
        long,
        env = "CORS_ORIGINS",
        global = true,
        default_value = "",
        hide_default_value = true
    )]
    pub cors_origins: Origins,

    /// What is logged: a level, or a filter such as `info,meaningful_connections=debug`
    #[arg(long, env = "LOG", global = true, default_value = "info", value_name = "FILTER", value_parser = log_filter)]
    pub log: String,

    /// How it is logged [default: json, but text where stderr is a terminal]
    #[arg(long, env = "LOG_FORMAT", global = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Leave the database's schema as it is: `migrate` brings it up to date, and until then nothing is served
    #[arg(long, env = "NO_MIGRATE", global = true, value_parser = BoolishValueParser::new())]
    pub no_migrate: bool,
    /// How long it goes on accepting requests once it was told to end (SIGTERM), while `/readyz` says that it is draining: as
    /// long as whoever sends requests here may take to notice
    #[arg(
        long,
        env = "DRAIN_SECONDS",
        global = true,
        default_value_t = 5,
        value_name = "SECONDS",
        value_parser = value_parser!(u64).range(..=600)
    )]
    pub drain_seconds: u64,

    /// Create no organisation and no client on the very first start
    #[arg(long, env = "NO_BOOTSTRAP", global = true, value_parser = BoolishValueParser::new())]
    pub no_bootstrap: bool,
}

impl Config {
    /// Where the database is.
    pub fn place(&self) -> Result<Place, Error> {
        match &self.database_url {
            Some(url) => Place::parse(url),
            None => Ok(Place::Sqlite(self.data_dir.join(DATABASE).display().to_string())),
        }
    }

    /// Where what has ended for good is written down, if anywhere but in the database.
    pub fn ledger(&self) -> Result<Option<PathBuf>, Error> {
        Ok(match (&self.erasure_ledger, self.place()?) {
            (Some(path), _) => Some(path.clone()),
            (None, Place::Sqlite(path)) => Some(beside(Path::new(&path), ".erasures.jsonl")),
            (None, Place::Postgres(_)) => None,
        })
    }

    /// Where its replicas are.
    pub fn replicas(&self) -> Result<Vec<Place>, Error> {
        let place = self.place()?;
        let given = self.database_replica_url.iter().filter(|urls| !urls.is_empty());
        let replicas: Vec<Vec<Place>> = given.map(|urls| place.parse_replicas(urls)).collect::<Result<_, _>>()?;
        Ok(replicas.concat())
    }

    /// Creates the data directory, for the owner alone, where the database will be in it.
    pub fn create_data_dir(&self) -> io::Result<()> {
        if self.database_url.is_some() {
            return Ok(());
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.data_dir)
    }

    /// The URL at which the world finds the API, without a slash at its end.
    pub fn public_url(&self) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.listen))
    }
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A JSON object a line
    Json,
    /// For people
    Text,
}

/// Origins (RFC 6454) that may call from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origins(pub Vec<String>);

impl FromStr for Origins {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        let checked = origins.map(|origin| {
            let uri = http_url(origin)?;
            // `Uri` says "/" of an origin as well.
            if uri.path() == "/" && !origin.ends_with('/') {
                Ok(origin.to_owned())
            } else {
                Err("an origin ends with its host or port")
            }
        });
        checked.collect::<Result<_, _>>().map(Self)
    }
}

fn public_url(text: &str) -> Result<String, &'static str> {
    http_url(text)?;
    if text.ends_with('/') {
        return Err("it must not end with a slash");
    }
    Ok(text.to_owned())
}

fn http_url(text: &str) -> Result<Uri, &'static str> {
    let uri: Uri = text.parse().map_err(|_| "it is not a URL")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("it must begin with http:// or https://");
    }
    // `Uri` drops a fragment.
    if uri.query().is_some() || text.contains(['#', '@', '?']) {
        return Err("it must have no user, query or fragment");
    }
    Ok(uri)
}

fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{Config, Origins};
    use crate::store::fork::Place;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        config: Config,
    }

    fn parse(arguments: &[&str]) -> Result<Config, String> {
        let arguments = ["mc"].iter().chain(arguments);
        Cli::try_parse_from(arguments)
            .map(|cli| cli.config)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_word_it_listens_here_and_keeps_a_file() {
        let config = parse(&[]).expect("defaults");
        assert_eq!(config.public_url(), "http://127.0.0.1:8080");
        assert_eq!(config.metrics_listen.to_string(), "127.0.0.1:9090");
        let file = "./data/meaningful-connections.sqlite".to_owned();
        assert_eq!(config.place().expect("a place"), Place::Sqlite(file));
        assert_eq!(config.cors_origins, Origins(Vec::new()));
        assert_eq!(config.drain_seconds, 5);
        assert!(!config.no_bootstrap);
    }

    #[test]
    fn what_is_given_is_taken() {
        let config = parse(&[
            "--listen=0.0.0.0:80",
            "--public-url=https://mc.example/api",
            "--cors-origins=https://a.example, http://localhost:3000",
            "--database-url=postgres://u:p@db/mc",
        ])
        .expect("fine");
        assert_eq!(config.public_url(), "https://mc.example/api");
        assert_eq!(config.cors_origins.0, ["https://a.example", "http://localhost:3000"]);
        assert!(matches!(config.place(), Ok(Place::Postgres(_))));
    }

    #[test]
    fn replicas_are_named_once_or_several_times_and_only_for_postgresql() {
        let replicas = |arguments: &[&str]| {
            parse(arguments)
                .expect("fine")
                .replicas()
                .map(|replicas| replicas.len())
        };
        let primary = "--database-url=postgres://db/mc";
        assert!(matches!(replicas(&[]), Ok(0)));
        assert!(matches!(replicas(&["--database-replica-url="]), Ok(0)));
        let (one, two) = (
            "--database-replica-url=postgres://r1/mc",
            "--database-replica-url=postgres://r2/mc,postgres://r3/mc",
        );
        assert!(matches!(replicas(&[primary, one, two]), Ok(3)));
        assert!(replicas(&[one]).is_err());
        assert!(replicas(&[primary, "--database-replica-url=r1"]).is_err());
    }

    #[test]
    fn a_bad_value_is_refused() {
        for argument in [
            "--listen=8080",
            "--listen=localhost",
            "--public-url=mc.example",
            "--public-url=ftp://mc.example",
            "--public-url=https://mc.example/",
            "--public-url=https://mc.example?x=1",
            "--public-url=https://mc.example#x",
            "--public-url=https://u:p@mc.example",
            "--cors-origins=*",
            "--cors-origins=https://a.example/",
            "--cors-origins=https://a.example/path",
            "--log=info,=,=",
            "--log-format=xml",
            "--drain-seconds=-1",
            "--drain-seconds=soon",
        ] {
            assert!(parse(&[argument]).is_err(), "{argument}");
        }
        assert!(
            parse(&["--database-url=mysql://u:p@db/mc"])
                .expect("not yet")
                .place()
                .is_err()
        );
    }
}
