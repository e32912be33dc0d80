//! Whether every address of a target accepts a TCP connection, each tried by itself and at once with the others.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::dial::{DialPlan, resolve_endpoint};
use crate::domain::connection::connect_info::{ConnectAttempt, ConnectError};
use crate::domain::connection::target::Target;
use crate::net::transport::socket::{SocketOptions, TransportSocket};

/// More addresses of one name are not tried.
const MAX_ADDRESSES: usize = 32;

/// The addresses of a target, or of the proxy on the path to it.
#[derive(Debug)]
pub struct ReachSurvey {
    /// The name that the resolver was asked for; `None` if nothing was looked up.
    pub name: Option<String>,
    /// How long the resolver took; `None` if nothing was looked up.
    pub took: Option<std::time::Duration>,
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
        return ReachSurvey { name: None, took: None, outcome: Ok(vec![attempt]), proxy };
    }
    let resolved = resolve_endpoint(plan, target).await;
    let outcome = match resolved.addresses {
        Err(error) => Err(Arc::new(error)),
        Ok(addresses) => {
            let tried = addresses.into_iter().take(MAX_ADDRESSES).map(|address| attempt(plan, address));
            Ok(join_all(tried).await)
        }
    };
    ReachSurvey { name: resolved.name, took: resolved.took, outcome, proxy }
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
