//! What the command line understands.

use std::path::PathBuf;

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use meaningful_connections::{
    auth::scope::Scope,
    config::Config,
    domain::{
        id::{ClientId, OrganisationId},
        moment::Moment,
    },
};

/// The Meaningful Connections API: models, perspectives, constellations, assessments and gap analyses as versioned resources.
#[derive(Parser)]
#[command(version)]
pub struct Cli {
    /// What the service needs to know
    #[command(flatten)]
    pub config: Config,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands
#[derive(Subcommand)]
pub enum Command {
    /// Serve the API (the default)
    Serve,
    /// Bring the database's schema up to date
    Migrate,
    /// Check the configuration, and that the database answers and is up to date
    Check {
        /// For so many seconds, wait for it
        #[arg(long, default_value_t = 0, value_name = "SECONDS")]
        wait: u64,
    },
    /// Ask the service that runs here whether it lives; the exit code is the answer
    Health {
        /// Ask whether it is ready for requests instead
        #[arg(long)]
        ready: bool,
    },
    /// Write the `OpenAPI` document to stdout
    Openapi {
        /// Write the table of operations instead: id, method, path, scope
        #[arg(long)]
        operations: bool,
    },
    /// Organisations
    #[command(subcommand)]
    Organisation(OrganisationCommand),
    /// Clients of an organisation
    #[command(subcommand)]
    Client(ClientCommand),
    /// The keys that sign tokens
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Copy the `SQLite` database into a file, while the server runs, and check the copy
    Backup {
        /// The file, which must not be there yet
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// How the outcome is written
        #[command(flatten)]
        format: Format,
    },
    /// Put a backup in the place of the `SQLite` database, without what was erased since; the server must not run
    Restore {
        /// The backup
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Ledgers of erasures, besides the configured one
        #[arg(long = "erasures", value_name = "FILE")]
        ledgers: Vec<PathBuf>,
        /// Move a database that holds data aside
        #[arg(long)]
        force: bool,
        /// How the outcome is written
        #[command(flatten)]
        format: Format,
    },
    /// What was erased or revoked
    #[command(subcommand)]
    Erasures(ErasuresCommand),
}

/// What can be done with erasures
#[derive(Subcommand)]
pub enum ErasuresCommand {
    /// Write what was erased or revoked to stdout, as a ledger: a JSON object a line
    List {
        /// Only what was erased then or later
        #[arg(long, value_name = "MOMENT")]
        since: Option<Moment>,
    },
    /// Erase and revoke again what these ledgers list: after an older state was restored
    Apply {
        /// The ledgers
        #[arg(value_name = "FILE", required = true)]
        ledgers: Vec<PathBuf>,
        /// How the outcome is written
        #[command(flatten)]
        format: Format,
    },
}

/// What can be done with organisations
#[derive(Subcommand)]
pub enum OrganisationCommand {
    /// Create an organisation and its first client; the secret is shown this once
    Create {
        /// What people call it
        #[arg(value_parser = name)]
        name: String,
        /// How the outcome is written
        #[command(flatten)]
        format: Format,
    },
    /// List all organisations
    List {
        /// How the outcome is written
        #[command(flatten)]
        format: Format,
    },
}

/// What can be done with clients
#[derive(Subcommand)]
pub enum ClientCommand {
    /// Create a client; its secret is shown this once
    Create {
        /// The organisation's id
        #[arg(long, value_name = "ID")]
        organisation: OrganisationId,
        /// What people call it
        #[arg(long, default_value = "Another client", value_parser = name)]
        name: String,
        /// What it may do [default: everything but research:release]
        #[arg(long = "scope", value_name = "SCOPE", num_args = 1.., value_delimiter = ' ', value_parser = scope())]
        scopes: Vec<Scope>,
        /// How the outcome is written
        #[command(flatten)]
        format: Format,
    },
    /// List an organisation's clients, newest first
    List {
        /// The organisation's id
        #[arg(long, value_name = "ID")]
        organisation: OrganisationId,
        /// How the outcome is written
        #[command(flatten)]
        format: Format,
    },
    /// Replace a client's secret; the new one is shown this once
    RotateSecret {
        /// The client's id
        id: ClientId,
        /// For so many seconds the secret before counts as well
        #[arg(long, default_value_t = 0)]
        grace_seconds: u32,
        /// How the outcome is written
        #[command(flatten)]
        format: Format,
    },
    /// Revoke a client, for good; its tokens count for five seconds more
    Revoke {
        /// The client's id
        id: ClientId,
    },
}

/// What can be done with keys
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Make a key that signs in a minute's time, in place of the one that does now
    Rotate {
        /// At once, because a key leaked: all others are deleted, and every token they signed is refused within 5 seconds
        #[arg(long)]
        now: bool,
    },
}

/// How the outcome is written
#[derive(Args, Clone, Copy)]
pub struct Format {
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

fn name(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() || text.chars().count() > 200 || text.contains(char::is_control) {
        return Err("a name has 1 to 200 characters, none of them a control character");
    }
    Ok(text.to_owned())
}

fn scope() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str())).try_map(|name| name.parse::<Scope>())
}
