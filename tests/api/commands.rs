//! What an operator asks the program besides serving.

use std::process::{Command, Output};

use tempfile::TempDir;

use crate::{
    ports::free_port,
    server::{PROGRAM, Server},
};

#[test]
fn the_health_command_tells_by_its_exit_code_whether_the_service_lives_and_is_ready() {
    let server = Server::start(&[]);
    let healthy = |listen: &str, flags: &[&str]| {
        let ran = Command::new(PROGRAM)
            .arg("health")
            .args(flags)
            .env("LISTEN", listen)
            // A proxy is for what is elsewhere.
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .output();
        ran.expect("the program runs").status.success()
    };
    let everywhere = server.listens().replace("127.0.0.1", "0.0.0.0");
    for listen in [server.listens(), &everywhere] {
        assert!(healthy(listen, &[]), "{listen}");
        assert!(healthy(listen, &["--ready"]), "{listen}");
    }
    let nobody = format!("127.0.0.1:{}", free_port());
    assert!(!healthy(&nobody, &[]));
    assert!(!healthy(&nobody, &["--ready"]));
}

#[test]
fn a_copy_that_may_not_migrate_serves_nothing_until_somebody_has() {
    let folder = TempDir::new().expect("a folder");
    let run = |arguments: &[&str]| -> Output {
        let ran = Command::new(PROGRAM)
            .args(arguments)
            .env("DATA_DIR", folder.path())
            .env("LISTEN", format!("127.0.0.1:{}", free_port()))
            .env("METRICS_LISTEN", format!("127.0.0.1:{}", free_port()))
            .env("NO_MIGRATE", "true")
            .output();
        ran.expect("the program runs")
    };
    let served = run(&["serve"]);
    assert!(!served.status.success());
    let said = String::from_utf8_lossy(&served.stderr).into_owned();
    assert!(
        said.contains("error: there is no database") && said.contains("run `migrate`"),
        "{said}"
    );
    assert!(!run(&["check"]).status.success());
    let waiting = std::thread::scope(|scope| {
        let waits = scope.spawn(|| run(&["check", "--wait", "60"]));
        assert!(run(&["migrate"]).status.success());
        waits.join().expect("its end")
    });
    assert!(waiting.status.success(), "{}", String::from_utf8_lossy(&waiting.stderr));
    assert!(run(&["check"]).status.success());
}
