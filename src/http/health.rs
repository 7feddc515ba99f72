//! Asking a running service how it is, from where it runs: its container has no other program that could.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use ureq::Agent;

/// How long the service may take to answer.
const SLOWEST: Duration = Duration::from_secs(5);

/// Asks the service that listens on this address whether it lives or, more than that, is ready. Says what is wrong.
pub fn health(listens: SocketAddr, is_ready: bool) -> Result<(), String> {
    let path = if is_ready { "readyz" } else { "livez" };
    let url = format!("http://{}/{path}", within_reach(listens));
    // A proxy is for what is elsewhere.
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(SLOWEST))
        .proxy(None)
        .build()
        .into();
    match agent.get(&url).call() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{url}: {error}")),
    }
}

/// Where to reach who listens on every address.
fn within_reach(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listens.port())
}
