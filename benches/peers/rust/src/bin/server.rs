//! The server that all clients are measured against: fastwebsockets on hyper, one thread, a Pong for each Ping.
//!
//! It prints its port, the one for TLS and the one for HTTP/2 (with prior knowledge; WebSockets by extended CONNECT, RFC 8441),
//! and ends when its standard input does. `GET /` without an upgrade tells how many WebSockets are open and how many Pings came so
//! far.

use std::convert::Infallible;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use fastwebsockets::{Frame, OpCode, Role, WebSocket, WebSocketError, upgrade};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use wscheck_peers::Failure;

static OPEN: AtomicU64 = AtomicU64::new(0);
static PINGS: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let plain = TcpListener::bind("127.0.0.1:0").await?;
    let secure = TcpListener::bind("127.0.0.1:0").await?;
    let http2 = TcpListener::bind("127.0.0.1:0").await?;
    let ports =
        [plain.local_addr()?, secure.local_addr()?, http2.local_addr()?].map(|address| address.port());
    println!("{} {} {}", ports[0], ports[1], ports[2]);
    let tls = acceptor()?;
    std::thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    loop {
        tokio::select! {
            accepted = plain.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                tokio::spawn(serve(stream));
            }
            accepted = http2.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                tokio::spawn(serve_http2(stream));
            }
            accepted = secure.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                let tls = tls.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream).await;
                    }
                });
            }
        }
    }
}

fn acceptor() -> Result<TlsAcceptor, Failure> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_string()])?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let config = ServerConfig::builder().with_no_client_auth();
    Ok(TlsAcceptor::from(Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key)?)))
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
    let _ = connection.with_upgrades().await;
}

async fn serve_http2(stream: TcpStream) {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server.enable_connect_protocol();
    let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer_http2)).await;
}

/// Opens a WebSocket for each request: all are extended CONNECTs.
async fn answer_http2(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async {
        if let Ok(stream) = upgraded.await {
            let _ = answer_pings(WebSocket::after_handshake(TokioIo::new(stream), Role::Server)).await;
        }
    });
    Ok(Response::default())
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    match upgrade::upgrade(&mut request) {
        Ok((response, upgraded)) => {
            tokio::spawn(async {
                if let Ok(socket) = upgraded.await {
                    let _ = answer_pings(socket).await;
                }
            });
            Ok(response.map(|_| Full::default()))
        }
        Err(_) => Ok(Response::new(format!("{} {}", OPEN.load(Relaxed), PINGS.load(Relaxed)).into())),
    }
}

async fn answer_pings(
    mut socket: WebSocket<impl AsyncRead + AsyncWrite + Unpin>,
) -> Result<(), WebSocketError> {
    socket.set_auto_pong(false);
    OPEN.fetch_add(1, Relaxed);
    let _open = Open;
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Ping => {
                PINGS.fetch_add(1, Relaxed);
                socket.write_frame(Frame::pong(frame.payload)).await?;
            }
            _ => {}
        }
    }
}

/// A connection is open as long as this lives.
struct Open;

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Relaxed);
    }
}
