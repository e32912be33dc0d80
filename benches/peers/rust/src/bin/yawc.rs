//! yawc with permessage-deflate (RFC 7692). PARAMETERS are those of the extension, as in its header.
//!
//! - `serve PARAMETERS`: a server of HTTP/1.1, and of HTTP/2 without TLS. It prints `PORT n` when it listens, and ends when its
//!   standard input does. Messages come back as they are.
//! - `echo VERSION URL PARAMETERS`: a client over HTTP/1.1 or 2 (VERSION), which fails unless each message comes back as it was.

use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use wscheck_peers::{Failure, serve_until_stdin_ends, take};
use yawc::{DeflateOptions, Frame, HttpVersion, HttpWebSocket, OpCode, Options, UpgradeFut, WebSocket};

/// Sizes of the client's messages in bytes, around where lengths and buffers change. None is empty: yawc 0.5 waits forever for
/// zlib to flush nothing a second time.
const SIZES: [usize; 8] = [1, 125, 126, 1024, 32_768, 65_535, 65_536, 500_000];
/// With the window kept, later ones refer to the ones before.
const ROUNDS: usize = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args();
    args.next();
    match take::<String>(&mut args, "serve or echo")?.as_str() {
        "serve" => {
            let options = options(&take::<String>(&mut args, "PARAMETERS")?)?;
            serve_until_stdin_ends(move |stream| serve(stream, options.clone())).await
        }
        "echo" => {
            let version = take::<String>(&mut args, "VERSION")?;
            let version = if version == "2" { HttpVersion::Http2 } else { HttpVersion::Http1 };
            let url = take::<String>(&mut args, "URL")?.parse()?;
            let options = options(&take::<String>(&mut args, "PARAMETERS")?)?;
            expect_echoes(WebSocket::connect(url).with_options(options).http_version(version).await?).await
        }
        other => Err(format!("serve or echo, and not {other}").into()),
    }
}

fn options(parameters: &str) -> Result<Options, Failure> {
    let mut deflate = DeflateOptions::default();
    for part in parameters.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('=').unwrap_or((part, "")) {
            ("server_no_context_takeover", _) => deflate.server_no_context_takeover = true,
            ("client_no_context_takeover", _) => deflate.client_no_context_takeover = true,
            ("server_max_window_bits", bits) => deflate.server_max_window_bits = Some(bits.parse()?),
            ("client_max_window_bits", bits) => deflate.client_max_window_bits = Some(bits.parse()?),
            (other, _) => return Err(format!("no parameter {other}").into()),
        }
    }
    let options = Options { compression: Some(deflate), ..Options::default() };
    Ok(options.with_limits(2 << 20, 4 << 20).with_utf8())
}

async fn serve(stream: TcpStream, options: Options) -> Result<(), Failure> {
    let mut start = [0; 3];
    let is_http2 = stream.peek(&mut start).await? == start.len() && start == *b"PRI";
    let stream = TokioIo::new(stream);
    let answer = service_fn(move |request| answer(request, options.clone()));
    if is_http2 {
        let mut server = http2::Builder::new(TokioExecutor::new());
        server.enable_connect_protocol();
        Ok(server.serve_connection(stream, answer).await?)
    } else {
        Ok(http1::Builder::new().serve_connection(stream, answer).with_upgrades().await?)
    }
}

async fn answer(mut request: Request<Incoming>, options: Options) -> yawc::Result<Response<Empty<Bytes>>> {
    let (response, upgrade) = WebSocket::upgrade_with_options(&mut request, options)?;
    tokio::spawn(echo(upgrade));
    Ok(response)
}

async fn echo(upgrade: UpgradeFut) -> yawc::Result<()> {
    let mut socket = upgrade.await?;
    while let Some(frame) = socket.next().await {
        if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
            socket.send(frame).await?;
        }
    }
    Ok(())
}

async fn expect_echoes(mut socket: HttpWebSocket) -> Result<(), Failure> {
    for size in SIZES.repeat(ROUNDS) {
        for frame in [Frame::text(text(size)), Frame::binary(noise(size))] {
            socket.send(frame.clone()).await?;
            let mut echo = socket.next_frame().await?;
            while echo.opcode() == OpCode::Ping {
                echo = socket.next_frame().await?;
            }
            if echo.opcode() != frame.opcode() || echo.payload() != frame.payload() {
                return Err(format!("a message of {size} bytes came back as {:?}", echo.opcode()).into());
            }
        }
    }
    Ok(socket.close().await?)
}

/// Text that compresses well, without being one short repetition.
fn text(size: usize) -> String {
    let mut text: String = (0..).map(|number| format!("{{\"id\":{number}}},")).take(size / 9 + 1).collect();
    text.truncate(size);
    text
}

/// Bytes that do not compress: of a linear congruential generator.
fn noise(size: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    std::iter::successors(Some(size as u64), next).map(|state| (state >> 56) as u8).take(size).collect()
}
