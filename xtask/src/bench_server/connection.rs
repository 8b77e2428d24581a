//! One HTTP/1.1 connection of the load generator. It runs on the same cores as what it measures, so requests are sent
//! as prepared bytes and of an answer only its status is kept.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes that an answer's head may take.
const HEAD_LIMIT: usize = 16 * 1024;

/// Headers that an answer may have.
const HEADERS: usize = 32;

/// A connection, opened when a request needs one.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

/// What is known of an answer when its head is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Bytes of head and body.
    length: usize,
    /// Whether the server ends the connection.
    closes: bool,
}

impl Connection {
    /// A connection to be.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            received: Vec::new(),
        }
    }

    /// Sends a complete request and gives the status of its answer, which has come whole.
    ///
    /// # Errors
    /// When the server does not answer, or not in HTTP/1.1 with a length. The next request opens a new connection.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => open(self.address).await?,
        };
        stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            if stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = parse(&self.received)? {
                break head;
            }
            if self.received.len() > HEAD_LIMIT {
                return Err(io::Error::other("the answer's head is too long"));
            }
        };
        while self.received.len() < head.length {
            if stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if !head.closes {
            self.stream = Some(stream);
        }
        Ok(head.status)
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The head of an answer, when it is complete.
fn parse(received: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(received).map_err(io::Error::other)?;
    let httparse::Status::Complete(head) = parsed else {
        return Ok(None);
    };
    let value = |name: &str| {
        let header = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        header.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let body: usize = value("content-length")
        .and_then(|length| length.parse().ok())
        .ok_or_else(|| io::Error::other("the answer has no length"))?;
    Ok(Some(Head {
        status: response.code.unwrap_or_default(),
        length: head + body,
        closes: value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_by_its_length() {
        let answer = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\nRetry-After: 1\r\n\r\nbusy";
        let head = Head {
            status: 429,
            length: answer.len(),
            closes: false,
        };
        assert_eq!(parse(answer).unwrap(), Some(head));
        for end in 0..answer.len() - 4 {
            assert_eq!(parse(&answer[..end]).unwrap(), None);
        }
    }

    #[test]
    fn a_server_may_end_the_connection() {
        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert!(parse(answer).unwrap().unwrap().closes);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        assert!(parse(b"SSH-2.0-OpenSSH\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
