//! Standard input and output: one client, who started the server.

use std::time::Duration;

use futures_util::future::BoxFuture;
use rmcp::{
    ServerHandler,
    service::{ServerInitializeError, serve_server_with_ct},
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::{ServeError, Work, lines::Lines, patient::Patient};

/// Serves the client on standard input and output until it leaves or `shutdown` is cancelled. What is being worked on then may take
/// as long as `grace`.
///
/// A thread may be left behind that reads standard input: end the process afterwards without waiting for the runtime's threads.
///
/// # Errors
///
/// Where the client's handshake fails. A client that leaves is no error.
pub fn serve_stdio<H>(server: H, grace: Duration, shutdown: CancellationToken) -> BoxFuture<'static, Result<(), ServeError>>
where
    H: ServerHandler + Clone,
{
    #[cfg(unix)]
    if let (Some(read), Some(write)) = (sockets::reopen(std::io::stdin()), sockets::reopen(std::io::stdout())) {
        return serve_streams(server, read, write, grace, shutdown);
    }
    let (read, write) = rmcp::transport::stdio_pipes();
    serve_streams(server, read, write, grace, shutdown)
}

/// Serves one client on any two streams, a message a line.
///
/// # Errors
///
/// As [`serve_stdio`].
pub fn serve_streams<H, R, W>(
    server: H,
    read: R,
    write: W,
    grace: Duration,
    shutdown: CancellationToken,
) -> BoxFuture<'static, Result<(), ServeError>>
where
    H: ServerHandler + Clone,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    Box::pin(streams(server, read, write, grace, shutdown))
}

async fn streams<H, R, W>(server: H, read: R, write: W, grace: Duration, shutdown: CancellationToken) -> Result<(), ServeError>
where
    H: ServerHandler + Clone,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let work = Work::default();
    let transport = Patient::new(Lines::new(read, write), work.clone());
    match serve_server_with_ct(server, transport, shutdown).await {
        Ok(session) => {
            session.waiting().await?;
        }
        // The client left before it had opened a session, as the probes of some do.
        Err(
            ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::TransportError { .. } | ServerInitializeError::Cancelled,
        ) => {}
        Err(error) => return Err(ServeError::Session(Box::new(error))),
    }
    work.finish(grace).await;
    Ok(())
}

/// Hosts that run on Node start their servers with sockets where others use pipes. Waited for like pipes, they need no thread of
/// their own per message, and no read that nothing can interrupt.
#[cfg(unix)]
mod sockets {
    use std::os::{
        fd::{AsFd, OwnedFd},
        unix::{fs::FileTypeExt as _, net::UnixStream},
    };

    pub(super) fn reopen(stream: impl AsFd) -> Option<tokio::net::UnixStream> {
        let file = std::fs::File::from(stream.as_fd().try_clone_to_owned().ok()?);
        if !file.metadata().ok()?.file_type().is_socket() {
            return None;
        }
        let socket = UnixStream::from(OwnedFd::from(file));
        // Fails for sockets of other families.
        socket.local_addr().ok()?;
        socket.set_nonblocking(true).ok()?;
        tokio::net::UnixStream::from_std(socket).ok()
    }

    #[cfg(test)]
    #[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    mod tests {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        #[tokio::test]
        async fn a_socket_is_reopened_and_nothing_else_is() {
            let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
            let mut ours = super::reopen(ours).unwrap();
            let mut theirs = super::reopen(theirs).unwrap();
            ours.write_all(b"ping").await.unwrap();
            let mut read = [0; 4];
            theirs.read_exact(&mut read).await.unwrap();
            assert_eq!(&read, b"ping");

            assert!(super::reopen(std::fs::File::open("/dev/null").unwrap()).is_none());
            assert!(super::reopen(std::io::pipe().unwrap().0).is_none());
            assert!(super::reopen(std::net::TcpListener::bind("127.0.0.1:0").unwrap()).is_none());
        }
    }
}
