//! The HTTP door: GET /metrics on a port of its own. Whoever comes costs one connection of bounded size and time: a request is answered or
//! not within [`LIFE`], there are at most [`MOST`] at a time, and a page is made at most once in [`FRESH`].

use crate::Text;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::debug;

/// Connections at a time. One more closes the oldest: so one who holds many open keeps nobody out.
const MOST: usize = 8;
/// How long a connection may take, from its beginning to the end of its answer.
const LIFE: Duration = Duration::from_secs(10);
/// How long the headers of a request may take, how long they may be, and how many.
const HEADERS: Duration = Duration::from_secs(5);
const MAX_HEADER_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// A page that is not older is given out again.
const FRESH: Duration = Duration::from_millis(250);
/// Connections that may wait in the system.
const BACKLOG: u32 = 16;
/// How long accepting rests after the system refused to accept.
const REST_AFTER_ERROR: Duration = Duration::from_millis(100);

/// A listening socket that gives out metrics.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
}

impl Door {
    /// Listens there. Needs a running tokio runtime.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self { listener: socket.listen(BACKLOG)? })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Gives out what `make` makes. Never ends; dropping the future closes everything.
    pub async fn serve(self, make: impl Fn() -> String + Send + Sync + 'static) {
        let page = Arc::new(Page { make: Box::new(make), last: Mutex::new(None) });
        let mut connections = JoinSet::new();
        let mut open: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        open.retain(|connection| !connection.is_finished());
                        if open.len() >= MOST {
                            open.pop_front().iter().for_each(AbortHandle::abort);
                        }
                        open.push_back(connections.spawn(answer(stream, peer, Arc::clone(&page))));
                    }
                    Err(error) => {
                        debug!("cannot accept who asks for metrics: {error}");
                        sleep(REST_AFTER_ERROR).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// What is given out.
struct Page {
    make: Box<dyn Fn() -> String + Send + Sync>,
    last: Mutex<Option<(Instant, Bytes)>>,
}

impl Page {
    fn get(&self) -> Bytes {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, page)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return page.clone();
        }
        let page = Bytes::from((self.make)());
        *last = Some((Instant::now(), page.clone()));
        page
    }
}

/// One connection: one request, one answer.
async fn answer(stream: TcpStream, peer: SocketAddr, page: Arc<Page>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = respond(&request, &page);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_headers(MAX_HEADERS).max_buf_size(MAX_HEADER_BYTES);
    let connection = http.keep_alive(false).serve_connection(TokioIo::new(stream), service);
    match timeout(LIFE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!("{peer} asked for metrics and broke off: {error}"),
        Err(_) => debug!("{peer} took too long to ask for metrics"),
    }
}

fn respond(request: &Request<Incoming>, page: &Page) -> Response<Full<Bytes>> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, body) = match request.uri().path() {
        "/metrics" if is_read => (StatusCode::OK, page.get()),
        "/metrics" => (StatusCode::METHOD_NOT_ALLOWED, Bytes::from_static(b"only GET\n")),
        _ => (StatusCode::NOT_FOUND, Bytes::from_static(b"the metrics are at /metrics\n")),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let media_type = if status == StatusCode::OK { Text::MEDIA_TYPE } else { "text/plain; charset=utf-8" };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
