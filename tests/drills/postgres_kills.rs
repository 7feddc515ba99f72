//! PostgreSQL is killed, postmaster and all, while the server stays up.

use crate::{cluster::Cluster, count, evidence::Evidence, load::Load, pause, server::Server};

#[test]
#[ignore = "a drill"]
fn when_postgresql_is_killed_nothing_acknowledged_is_lost_and_the_server_recovers_by_itself() {
    let kills = count("DRILLS_POSTGRES_KILLS", 5);
    let mut cluster = Cluster::new();
    let url = cluster.url("postgres");
    let mut server = Server::new(&url);
    server.start();
    let mut load = Load::new(&server);
    for _ in 0..kills {
        load.run(|| {
            pause(300..1500);
            cluster.kill();
            pause(100..1500);
            cluster.start();
            pause(100..500);
        });
        assert!(server.is_running());
        load.compare(&mut Evidence::of(&url));
        load.look(Some(20));
    }
    load.look(None);
    assert_eq!(
        load.sum(|tally| tally.cut),
        0,
        "the server answers whatever happens to the database"
    );
    assert!(load.sum(|tally| tally.unavailable) >= kills);
    load.conclude("kill -9 of PostgreSQL", "PostgreSQL", kills);
}
