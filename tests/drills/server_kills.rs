//! The server is killed at random moments.

use tempfile::TempDir;

use crate::{
    cluster::Cluster,
    count,
    evidence::Evidence,
    load::Load,
    pause,
    server::{Server, sqlite_url},
};

#[test]
#[ignore = "a drill"]
fn a_killed_server_loses_nothing_that_it_acknowledged_on_sqlite() {
    let folder = TempDir::new().expect("a folder");
    drill(&sqlite_url(folder.path()));
}

#[test]
#[ignore = "a drill"]
fn a_killed_server_loses_nothing_that_it_acknowledged_on_postgresql() {
    let cluster = Cluster::new();
    drill(&cluster.url("postgres"));
}

fn drill(url: &str) {
    let kills = count("DRILLS_SERVER_KILLS", 5);
    let mut server = Server::new(url);
    server.start();
    let mut load = Load::new(&server);
    let mut killed = 0;
    while killed < kills {
        load.run(|| {
            pause(200..1500);
            loop {
                server.kill();
                killed += 1;
                server.start();
                // Now and then the next one comes while the clients still repeat what had no answer.
                if killed == kills || rand::random::<f32>() > 0.3 {
                    break;
                }
                pause(0..100);
            }
        });
        load.compare(&mut Evidence::of(url));
        load.look(Some(20));
    }
    load.look(None);
    load.conclude("kill -9 of the server", Evidence::of(url).name(), killed);
}
