//! The commands.

mod command;
mod recovery;

use std::{
    error::Error,
    io::{self, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use chrono::Utc;
use clap::Parser;
use command::{Cli, ClientCommand, Command, ErasuresCommand, Format, KeysCommand, OrganisationCommand};
use meaningful_connections::{
    auth::{
        gate::Gate,
        keys,
        scope::{Scope, ScopeSet},
        secret::{NewSecret, new_client},
    },
    config::Config,
    domain::{
        access::Actor,
        id::{ClientId, OrganisationId},
        moment::Moment,
    },
    http::{self, House, Listen},
    jobs::Jobs,
    service::{self, bootstrap},
    store::{
        self,
        clients::Client,
        db::{Db, Tx},
        fork::Place,
        organisations::Organisation,
        page::Page,
    },
    telemetry::{self, metrics, traces::Traces},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

/// What the handling of JSON asks for, small pieces by the hundred, it gives twice as fast as the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

impl Format {
    /// Writes a list, each item as a line or as JSON.
    fn list(self, items: impl Iterator<Item = (String, Value)>) -> Outcome {
        let (lines, described): (Vec<String>, Vec<Value>) = items.unzip();
        if self.json {
            return say(&json!({"data": described}).to_string());
        }
        lines.iter().try_for_each(|line| say(line))
    }
}

fn main() -> ExitCode {
    let Cli { config, command } = Cli::parse();
    telemetry::log(&config);
    match run(config, command.unwrap_or(Command::Serve)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where not even stderr can be written, the exit code has to do.
            _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut config: Config, command: Command) -> Outcome {
    match command {
        Command::Serve => serve(config),
        Command::Migrate => {
            config.no_migrate = false;
            let steps = open(&config, &[])?.1;
            say(&format!("The database is up to date ({steps} steps taken)."))
        }
        Command::Check { wait } => {
            check_for(&config, Duration::from_secs(wait))?;
            say("ok: the configuration is sound, the database answers and is up to date")
        }
        Command::Health { ready } => Ok(http::health(config.listen, ready)?),
        Command::Openapi { operations } => openapi(operations),
        Command::Organisation(command) => organisation(&ready(&config)?, command),
        Command::Client(command) => client(&ready(&config)?, command),
        Command::Keys(KeysCommand::Rotate { now }) => rotate_key(&ready(&config)?, now),
        Command::Backup { to, format } => recovery::backup(&config, &to, format),
        Command::Restore {
            from,
            ledgers,
            force,
            format,
        } => recovery::restore(&config, from, ledgers, force, format),
        Command::Erasures(ErasuresCommand::List { since }) => recovery::list_erasures(&config, since),
        Command::Erasures(ErasuresCommand::Apply { ledgers, format }) => {
            recovery::apply_erasures(&ready(&config)?, &ledgers, format)
        }
    }
}

/// Writes a line to stdout.
fn say(line: &str) -> Outcome {
    Ok(writeln!(io::stdout(), "{line}")?)
}

/// Opens the database and brings it up to date; says in how many steps.
fn open(config: &Config, replicas: &[Place]) -> Outcome<(Db, usize)> {
    let place = config.place()?;
    config
        .create_data_dir()
        .map_err(|error| format!("the data directory {}: {error}", config.data_dir.display()))?;
    let db = Db::open_with(&place, replicas, Arc::new(|| Moment::from(Utc::now())))?;
    let steps = if config.no_migrate { 0 } else { db.migrate()? };
    Ok((db, steps))
}

/// Whether this is the very first start, after which everything is there that the service needs.
fn first_start(config: &Config, db: &Db) -> Outcome<bool> {
    let key = keys::generate()?;
    let first = db.write_now(Actor::SERVICE, move |tx| bootstrap::first_start(tx, &key))?;
    if let Some(ledger) = config.ledger()? {
        db.keep_ledger(&ledger)?;
    }
    Ok(first)
}

/// The database, with everything in it that the service needs.
fn ready(config: &Config) -> Outcome<Db> {
    let (db, _) = open(config, &[])?;
    first_start(config, &db)?;
    Ok(db)
}

fn serve(config: Config) -> Outcome {
    let (page, traces) = (metrics::start()?, Traces::start()?);
    if config.no_migrate {
        check(&config)?;
    }
    let db = Arc::new(open(&config, &config.replicas()?)?.0);
    let public_url = config.public_url();
    if first_start(&config, &db)? && !config.no_bootstrap {
        quick_start(&public_url, &found(&db, "My organisation".to_owned())?)?;
    }
    let gate = Gate::start(Arc::clone(&db), &public_url)?;
    listen(config, db, gate, page, traces.as_ref())
}

/// Serves until told to stop.
fn listen(config: Config, db: Arc<Db>, gate: Gate, page: metrics::Page, traces: Option<&Traces>) -> Outcome {
    // Ends, and is waited for, when the service does.
    let _jobs = Jobs::start(Arc::clone(&db))?;
    let listen = Listen {
        api: config.listen,
        metrics: config.metrics_listen,
        drain: Duration::from_secs(config.drain_seconds),
    };
    let house = House::new(db, Arc::new(gate), config.public_url(), config.cors_origins.0)?;
    if let Some(traces) = traces {
        house.trace(traces.tracer());
    }
    let served = http::serve(house, listen, move || page.text());
    Ok(actix_web::rt::System::new().block_on(served)?)
}

/// Writes the `OpenAPI` document, or the table of its operations, to stdout.
fn openapi(operations: bool) -> Outcome {
    let document = http::openapi::document();
    if operations {
        return Ok(write!(io::stdout(), "{}", http::openapi::operations(&document))?);
    }
    say(&serde_json::to_string_pretty(&document)?)
}

/// Checks, again and again for so long as it takes or may.
fn check_for(config: &Config, longest: Duration) -> Outcome {
    let began = Instant::now();
    loop {
        let outcome = check(config);
        if outcome.is_ok() || began.elapsed() >= longest {
            return outcome;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn check(config: &Config) -> Outcome {
    let place = config.place()?;
    config.replicas()?;
    if let Place::Sqlite(path) = &place
        && !Path::new(path).exists()
    {
        return Err(format!("there is no database at {path} yet: run `migrate`").into());
    }
    if Db::open(&place, Arc::new(|| Moment::from(Utc::now())))?.is_ready()? {
        Ok(())
    } else {
        Err("the database is not up to date: run `migrate`".into())
    }
}

/// What is shown once.
struct Credentials {
    organisation: Organisation,
    client: Client,
    secret: SecretString,
}

impl Credentials {
    fn show(&self, format: Format) -> Outcome {
        let Self {
            organisation,
            client,
            secret,
        } = self;
        let scopes = ScopeSet::known(&client.scopes);
        if format.json {
            return say(&json!({
                "organisation": {"id": organisation.id, "name": organisation.name},
                "client": {
                    "client_id": client.id,
                    "client_secret": secret.expose_secret(),
                    "scopes": scopes.iter().collect::<Vec<_>>(),
                },
            })
            .to_string());
        }
        say(&format!("organisation   {}  {}", organisation.id, organisation.name))?;
        say(&format!("client id      {}", client.id))?;
        say(&format!("client secret  {}  (shown this once)", secret.expose_secret()))?;
        say(&format!("scopes         {scopes}"))
    }
}

/// A new organisation and its first client, which may do all that an organisation may.
fn found(db: &Db, name: String) -> Outcome<Credentials> {
    let (new, secret) = new_client(name.clone(), ScopeSet::of_organisation())?;
    let actor = Actor::service_for(OrganisationId::from_uuid(Uuid::now_v7()));
    let (organisation, client) = db.write_now(actor, move |tx| bootstrap::found(tx, &name, &new))?;
    Ok(Credentials {
        organisation,
        client,
        secret,
    })
}

fn quick_start(url: &str, credentials: &Credentials) -> Outcome {
    say("This is the first start: here are an organisation and a client to begin with.\n")?;
    credentials.show(Format { json: false })?;
    let (id, secret) = (credentials.client.id, credentials.secret.expose_secret());
    say(&format!(
        "\nTry it, once the service listens, in another terminal:\n\nAPI='{url}'\nCLIENT='{id}:{secret}'\n\n{QUICK_START}\n\
         The whole API is at {url}/docs/",
    ))
}

/// The quick start of the README, but for the two lines that say where the API is and who calls.
const QUICK_START: &str = include_str!("quick_start.sh");

fn organisation(db: &Db, command: OrganisationCommand) -> Outcome {
    match command {
        OrganisationCommand::Create { name, format } => found(db, name)?.show(format),
        OrganisationCommand::List { format } => {
            let organisations = db.read_now(Actor::SERVICE, store::organisations::list)?;
            format.list(organisations.iter().map(|one| {
                let described = json!({"id": one.id, "name": one.name, "created_at": one.created_at});
                (format!("{}  {}", one.id, one.name), described)
            }))
        }
    }
}

fn client(db: &Db, command: ClientCommand) -> Outcome {
    match command {
        ClientCommand::Create {
            organisation,
            name,
            scopes,
            format,
        } => {
            let scopes = if scopes.is_empty() {
                ScopeSet::of_organisation()
            } else {
                scopes.into_iter().collect()
            };
            create_client(db, organisation, name, scopes)?.show(format)
        }
        ClientCommand::List { organisation, format } => list_clients(db, organisation, format),
        ClientCommand::RotateSecret {
            id,
            grace_seconds,
            format,
        } => {
            let actor = owner(db, id)?;
            let NewSecret { secret, hash } = NewSecret::generate()?;
            let replace = move |tx: &mut Tx<'_>| store::clients::replace_secret(tx, id, &hash, grace_seconds);
            if !db.write_now(actor, replace)? {
                return Err("the client was revoked".into());
            }
            let secret = secret.expose_secret();
            if format.json {
                return say(&json!({"client": {"client_id": id, "client_secret": secret}}).to_string());
            }
            say(&format!(
                "client id      {id}\nclient secret  {secret}  (shown this once)"
            ))
        }
        ClientCommand::Revoke { id } => {
            if !db.write_now(owner(db, id)?, move |tx| store::clients::revoke(tx, id))? {
                return Err("the client was revoked before".into());
            }
            say(&format!("Revoked {id}."))
        }
    }
}

fn create_client(db: &Db, organisation: OrganisationId, name: String, scopes: ScopeSet) -> Outcome<Credentials> {
    let (new, secret) = new_client(name, scopes)?;
    let create = move |tx: &mut Tx<'_>| -> service::Result<(Organisation, Client)> {
        let found = store::organisations::find(tx)?.filter(|found| !found.id.is_nil());
        let organisation = found.ok_or(service::Error::NotFound("organisation"))?;
        Ok((organisation, store::clients::insert(tx, &new)?))
    };
    let (organisation, client) = db.write_now(Actor::service_for(organisation), create)?;
    Ok(Credentials {
        organisation,
        client,
        secret,
    })
}

fn list_clients(db: &Db, organisation: OrganisationId, format: Format) -> Outcome {
    let mut page = Page {
        limit: 200,
        after: None,
    };
    let mut clients: Vec<Client> = Vec::new();
    loop {
        let (some, next) = db.read_now(Actor::service_for(organisation), move |tx| {
            store::clients::list(tx, &page)
        })?;
        clients.extend(some);
        match next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    format.list(clients.iter().map(|client| {
        let scopes: Vec<Scope> = ScopeSet::known(&client.scopes).iter().collect();
        let described = json!({
            "client_id": client.id,
            "name": client.name,
            "scopes": scopes,
            "revoked_at": client.revoked_at,
        });
        let revoked = client
            .revoked_at
            .map_or_else(String::new, |at| format!("  revoked {at}"));
        let line = format!("{}  {}  {}{revoked}", client.id, client.name, client.scopes);
        (line, described)
    }))
}

/// The service at work inside the organisation that has this client.
fn owner(db: &Db, id: ClientId) -> Outcome<Actor> {
    let found = db.read_now(Actor::SERVICE, move |tx| store::clients::credentials(tx, id))?;
    let found = found.ok_or("no such client")?;
    Ok(Actor::service_for(found.organisation))
}

fn rotate_key(db: &Db, now: bool) -> Outcome {
    let key = keys::generate()?;
    let id = key.id;
    if now {
        db.write_now(Actor::SERVICE, move |tx| keys::replace(tx, &key))?;
        return say(&format!("Key {id} signs now. All others are gone."));
    }
    let active_from = db.write_now(Actor::SERVICE, move |tx| keys::rotate(tx, &key))?;
    say(&format!("Key {id} signs from {active_from}."))
}
