//! What stands in the database, past the API: every column of every table.

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use meaningful_connections::domain::id::OrganisationId;

use crate::app::{Database, TestApp, connect};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A second connection to a test's database.
pub enum Second {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Second {
    pub fn open(database: &Database) -> Self {
        Self::at(&database.url())
    }

    pub fn at(url: &str) -> Self {
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::Sqlite(SqliteConnection::establish(path).expect("the database")),
            None => Self::Postgres(connect(url)),
        }
    }

    pub fn run(&mut self, sql: &str) {
        use diesel::connection::SimpleConnection;
        let done = match self {
            Self::Sqlite(conn) => conn.batch_execute(sql),
            Self::Postgres(conn) => conn.batch_execute(sql),
        };
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The column `line` of what a query finds.
    pub fn lines(&mut self, sql: &str) -> Vec<String> {
        let lines: Vec<Line> = match self {
            Self::Sqlite(conn) => sql_query(sql).load(conn),
            Self::Postgres(conn) => sql_query(sql).load(conn),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
        lines.into_iter().map(|Line { line }| line).collect()
    }

    fn count(&mut self, sql: &str) -> i64 {
        let Count { count } = match self {
            Self::Sqlite(conn) => sql_query(sql).get_result(conn),
            Self::Postgres(conn) => sql_query(sql).get_result(conn),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
        count
    }

    /// Every table there is.
    pub fn tables(&mut self) -> Vec<String> {
        self.lines(match self {
            Self::Sqlite(_) => "SELECT name AS line FROM sqlite_master WHERE type = 'table' ORDER BY 1",
            Self::Postgres(_) => "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        })
    }

    fn columns(&mut self, table: &str) -> Vec<String> {
        self.lines(&match self {
            Self::Sqlite(_) => format!("SELECT name AS line FROM pragma_table_info('{table}')"),
            Self::Postgres(_) => format!(
                "SELECT column_name::text AS line FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        })
    }

    /// Every row of a table, column by column: bytes and ids in hexadecimal, times in microseconds since 1970; and its rowid, where
    /// `SQLite` keeps one.
    pub fn dump(&mut self, table: &str) -> Vec<Vec<String>> {
        let mut columns: Vec<String> = self.columns(table).iter().map(|name| format!("\"{name}\"")).collect();
        let texts: Vec<String> = match self {
            Self::Sqlite(_) => {
                let made = format!("SELECT upper(sql) AS line FROM sqlite_master WHERE name = '{table}'");
                if !self.lines(&made)[0].contains("WITHOUT ROWID") {
                    columns.push("rowid".to_owned());
                }
                let text = |name: &String| {
                    format!("CASE typeof({name}) WHEN 'blob' THEN lower(hex({name})) ELSE coalesce({name}, '') END")
                };
                columns.iter().map(text).collect()
            }
            Self::Postgres(_) => {
                let times = format!(
                    "SELECT column_name::text AS line FROM information_schema.columns \
                     WHERE table_name = '{table}' AND data_type = 'timestamp with time zone'"
                );
                let times = self.lines(&times);
                let text = |name: &String| {
                    if times.iter().any(|time| format!("\"{time}\"") == *name) {
                        format!("coalesce((extract(epoch FROM {name}) * 1000000)::bigint::text, '')")
                    } else {
                        format!("coalesce({name}::text, '')")
                    }
                };
                columns.iter().map(text).collect()
            }
        };
        let line = texts.join(" || '\u{1f}' || ");
        let is_id = |text: &str| uuid::Uuid::try_parse(text).is_ok();
        self.lines(&format!("SELECT {line} AS line FROM \"{table}\""))
            .into_iter()
            .map(|row| {
                let plain = |value: &str| match value.strip_prefix("\\x") {
                    Some(hex) => hex.to_owned(),
                    None if is_id(value) => value.replace('-', ""),
                    None => value.to_owned(),
                };
                row.split('\u{1f}').map(plain).collect()
            })
            .collect()
    }

    /// Every row of this organisation, every column of it.
    pub fn of(&mut self, organisation: OrganisationId) -> Vec<String> {
        let hex = organisation.to_string().replace('-', "");
        let own = match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'{organisation}'"),
        };
        let (mut rows, mut tables) = (Vec::new(), 0);
        for table in self.tables() {
            let columns = self.columns(&table);
            let owner = if table == "organisations" {
                "id"
            } else {
                "organisation_id"
            };
            if !columns.iter().any(|column| column == owner) {
                continue;
            }
            tables += 1;
            let quoted: Vec<String> = match self {
                Self::Sqlite(_) => columns.iter().map(|column| format!("quote(\"{column}\")")).collect(),
                Self::Postgres(_) => vec!["t::text".to_owned()],
            };
            let line = quoted.join(" || ' ' || ");
            let found = self.lines(&format!(
                "SELECT {line} AS line FROM \"{table}\" t WHERE \"{owner}\" = {own} ORDER BY 1"
            ));
            rows.extend(found.into_iter().map(|row| format!("{table} {row}")));
        }
        assert!(tables >= 11, "only {tables} tables belong to organisations");
        rows
    }

    /// The tables in which a text stands, in whatever column, as text or as bytes.
    pub fn tables_with(&mut self, text: &str) -> Vec<String> {
        let hex = text
            .bytes()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let mut found = Vec::new();
        for table in self.tables() {
            let stands = match self {
                Self::Postgres(_) => format!("t::text LIKE '%{text}%' OR t::text LIKE '%{hex}%'"),
                Self::Sqlite(_) => {
                    let columns = self.columns(&table);
                    let terms = columns
                        .iter()
                        .map(|column| format!("instr(hex(\"{column}\"), upper('{hex}')) > 0"));
                    terms.collect::<Vec<_>>().join(" OR ")
                }
            };
            if self.count(&format!("SELECT count(*) AS count FROM \"{table}\" t WHERE {stands}")) > 0 {
                found.push(table);
            }
        }
        found
    }
}

/// Every row of this organisation.
pub fn of(test: &TestApp, organisation: OrganisationId) -> Vec<String> {
    Second::open(&test.database).of(organisation)
}
