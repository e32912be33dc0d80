//! A server of WebSockets over HTTP/2 without TLS (RFC 8441) on hyper, with tungstenite on each stream.
//!
//! Prints `PORT n` when it listens, and ends when its standard input does. Messages come back as they are.

use std::convert::Infallible;

use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::ext::Protocol;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use wscheck_peers::{Failure, serve_until_stdin_ends};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    serve_until_stdin_ends(serve).await
}

async fn serve(stream: TcpStream) -> Result<(), Failure> {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server.enable_connect_protocol();
    Ok(server.serve_connection(TokioIo::new(stream), service_fn(answer)).await?)
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut response = Response::new(Empty::new());
    let protocol = request.extensions().get::<Protocol>();
    if request.method() == Method::CONNECT
        && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
    {
        tokio::spawn(echo(hyper::upgrade::on(&mut request)));
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

async fn echo(upgrade: OnUpgrade) -> Result<(), Failure> {
    let stream = TokioIo::new(upgrade.await?);
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        } else {
            // Pongs and the answer to a close frame, which the library has queued.
            socket.flush().await?;
        }
    }
    Ok(())
}
