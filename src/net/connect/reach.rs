//! Whether every address of a target accepts a TCP connection, each tried by itself and at once with the others.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::dial::{DialPlan, DialProgress};
use crate::domain::connection::connect_info::{ConnectAttempt, ConnectError};
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::net::transport::socket::{SocketOptions, TransportSocket};

/// More addresses of one name are not tried.
const MAX_ADDRESSES: usize = 32;

/// The addresses of a target, or of the proxy on the path to it.
#[derive(Debug)]
pub struct ReachSurvey {
    /// The name that the resolver was asked for, and how long its answer took; `None` if nothing was looked up.
    pub lookup: Option<(String, Duration)>,
    /// Each address with its outcome; an error means that the addresses are not known.
    pub outcome: Result<Vec<ConnectAttempt>, Arc<ConnectError>>,
    /// The proxy on the path, without its password.
    pub proxy: Option<String>,
}

/// Tries every address. A connection that opens is closed at once.
pub async fn survey(plan: &DialPlan, target: &Target) -> ReachSurvey {
    let proxy = plan.proxy_for(target).map(|proxy| proxy.to_string());
    if let Some(path) = &plan.unix_socket {
        let began = Instant::now();
        let error = TransportSocket::unix(path).await.err().map(|fault| fault.cause);
        let attempt = ConnectAttempt { address: path.display().to_string(), took: began.elapsed(), error };
        return ReachSurvey { lookup: None, outcome: Ok(vec![attempt]), proxy };
    }
    let mut opening = DialProgress::begin(plan, target);
    let addresses = opening.resolve(plan.bind.next()).await;
    let lookup = opening.lookup.take();
    let outcome = match addresses {
        Err(fault) => Err(Arc::new(opening.error(Phase::Dns, fault))),
        Ok(addresses) => {
            let tried = addresses.into_iter().take(MAX_ADDRESSES).map(|address| attempt(plan, address));
            Ok(join_all(tried).await)
        }
    };
    ReachSurvey { lookup, outcome, proxy }
}

async fn attempt(plan: &DialPlan, address: SocketAddr) -> ConnectAttempt {
    let began = Instant::now();
    let options = SocketOptions { bind: plan.bind.next(), ..SocketOptions::default() };
    let error = match timeout(plan.connect_timeout, TransportSocket::tcp(address, options)).await {
        Ok(Ok(_)) => None,
        Ok(Err(fault)) => Some(fault.cause),
        Err(_) => Some(format!("no answer within {}", crate::domain::format::duration(plan.connect_timeout))),
    };
    ConnectAttempt { address: address.to_string(), took: began.elapsed(), error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn plan(port: u16, addresses: &[&str]) -> DialPlan {
        let of = |address: &&str| format!("a.example:{port}:{address}").parse().unwrap();
        DialPlan { resolve: addresses.iter().map(of).collect(), ..DialPlan::default() }
    }

    #[tokio::test]
    async fn every_address_is_tried_by_itself() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target: Target = format!("ws://a.example:{port}/").parse().unwrap();
        let found = survey(&plan(port, &["127.0.0.2", "127.0.0.1"]), &target).await;
        let addresses = found.outcome.unwrap();
        let errors: Vec<bool> = addresses.iter().map(|attempt| attempt.error.is_some()).collect();
        assert_eq!(errors, [true, false], "{addresses:?}");
        assert_eq!(found.lookup, None, "nothing was looked up");
    }

    #[tokio::test]
    async fn name_is_looked_up_and_its_time_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target: Target =
            format!("ws://localhost:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
        let found = survey(&DialPlan::default(), &target).await;
        assert_eq!(found.lookup.unwrap().0, "localhost");
        assert!(found.outcome.is_ok());
    }

    #[tokio::test]
    async fn another_place_is_reached_instead_of_the_urls() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let plan = DialPlan { connect_to: Some(address.parse().unwrap()), ..DialPlan::default() };
        let found = survey(&plan, &"wss://a.invalid/".parse().unwrap()).await;
        let addresses = found.outcome.unwrap();
        assert_eq!(addresses[0].address, address);
        assert_eq!(addresses[0].error, None);
    }

    #[tokio::test]
    async fn missing_socket_is_an_attempt_that_failed() {
        let plan = DialPlan { unix_socket: Some("/nonexistent/ws".into()), ..DialPlan::default() };
        let found = survey(&plan, &"ws://a.example/".parse().unwrap()).await;
        let attempt = &found.outcome.unwrap()[0];
        assert_eq!(attempt.address, "/nonexistent/ws");
        assert!(attempt.error.is_some());
    }
}
