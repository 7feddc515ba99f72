//! Changes whose SQL is always the same, though Diesel takes every UPDATE and every insert of several rows for one of a kind: they are
//! prepared once, not each time.

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::Integer,
    sqlite::Sqlite,
};

/// A connection that makes such changes.
pub(in crate::store) trait Changes<Q> {
    /// How many rows were changed.
    fn change(&mut self, statement: Q) -> QueryResult<usize>;
}

impl<Q: QueryFragment<Pg>> Changes<Q> for PgConnection {
    // On PostgreSQL Diesel asks what it only executes by reference, and no more whether that may be prepared: so it is loaded.
    fn change(&mut self, statement: Q) -> QueryResult<usize> {
        let changed: Vec<i32> = Fixed(statement).load(self)?;
        Ok(changed.len())
    }
}

impl<Q: QueryFragment<Sqlite>> Changes<Q> for SqliteConnection {
    fn change(&mut self, statement: Q) -> QueryResult<usize> {
        self.execute_returning_count(&Fixed(statement))
    }
}

struct Fixed<Q>(Q);

impl<Q> QueryId for Fixed<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Fixed<Q> {
    type SqlType = Integer;
}

impl<C, Q> RunQueryDsl<C> for Fixed<Q> {}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Fixed<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass.reborrow())?;
        pass.push_sql(" RETURNING 1");
        Ok(())
    }
    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Fixed<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }
    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}
