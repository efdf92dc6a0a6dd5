//! A proxy between sqlx and the server. sqlx drops what a console shows (command tags, the columns of a result without
//! rows, the severity of a notice), so the proxy records the server's messages as they pass. It does not forward
//! notifications, because sqlx would take them for an unknown reply; everything else is forwarded byte for byte.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use retrial_engine::error::Error;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener, UnixStream};

use super::health::Health;
use crate::console::{Grid, Message};

/// The messages recorded on one connection.
#[derive(Default)]
pub(super) struct Heard {
    messages: Vec<Message>,
    /// The rows of the statement that has not completed yet.
    grid: Option<Grid>,
    /// [`Message::Begins`] has been reported for it.
    began: bool,
    /// The incomplete message at the end of the stream so far.
    rest: Vec<u8>,
    /// The server has closed the connection.
    pub(super) closed: bool,
}

/// The recorded messages, shared by the relay and the console.
pub(super) type SharedHeard = Arc<Mutex<Heard>>;

pub(super) fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    // A panic elsewhere leaves whole messages behind.
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects through a proxy whose socket is created in `folder` and named by `port`.
pub(super) async fn connect(
    health: &Health,
    options: &PgConnectOptions,
    folder: &Path,
    port: u16,
) -> Result<(PgConnection, SharedHeard), Error> {
    if !matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer) {
        return Err(Error::refused("a console does not speak TLS: use a URL without sslmode"));
    }
    let broken = |error: std::io::Error| Error::machine(format!("the console's socket: {error}"));
    let path = folder.join(format!(".s.PGSQL.{port}"));
    let listener = UnixListener::bind(&path).map_err(broken)?;
    let heard = SharedHeard::default();
    let (target, ears) = (options.clone(), heard.clone());
    tokio::task::spawn_local(async move {
        // If the proxy cannot reach the server, it closes the client's side, and sqlx reports that.
        if let Ok((near, _)) = listener.accept().await {
            let _ = relay(near, &target, ears).await;
        }
    });
    let near = options.clone().socket(folder).port(port).ssl_mode(PgSslMode::Disable);
    let connection = health.connect(&near).await;
    // The connection is established or has failed; the socket's name is not needed any more.
    let _ = std::fs::remove_file(&path);
    lock(&heard).take();
    Ok((connection?, heard))
}

async fn relay(near: UnixStream, target: &PgConnectOptions, ears: SharedHeard) -> std::io::Result<()> {
    let host = target.get_host();
    let folder = target.get_socket().map(std::path::PathBuf::as_path);
    let folder = folder.or_else(|| host.starts_with('/').then(|| Path::new(host)));
    match folder {
        Some(folder) => {
            let path = folder.join(format!(".s.PGSQL.{}", target.get_port()));
            between(near, UnixStream::connect(path).await?, ears).await
        }
        None => {
            let far = TcpStream::connect((host, target.get_port())).await?;
            far.set_nodelay(true)?;
            between(near, far, ears).await
        }
    }
}

async fn between<S>(near: UnixStream, far: S, ears: SharedHeard) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + 'static,
{
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = tokio::io::split(far);
    tokio::task::spawn_local(async move {
        // The end of the client's stream is passed on to the server, which then ends the session.
        let _ = tokio::io::copy(&mut from_near, &mut to_far).await;
        let _ = to_far.shutdown().await;
    });
    let mut buffer = vec![0; 16 * 1024];
    loop {
        // A server that exits before it has read everything resets the connection, which ends it as well.
        let length = from_far.read(&mut buffer).await.unwrap_or(0);
        if length == 0 {
            let rest = lock(&ears).close();
            to_near.write_all(&rest).await?;
            return to_near.shutdown().await;
        }
        let onward = lock(&ears).hear(&buffer[..length]);
        to_near.write_all(&onward).await?;
    }
}

impl Heard {
    /// Takes the messages recorded since the last call.
    pub(super) fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.messages)
    }

    /// Splits the stream into messages: a letter, and a length that includes itself
    /// (<https://www.postgresql.org/docs/15/protocol-message-formats.html>). Returns the complete messages to forward
    /// to sqlx.
    fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.rest.extend_from_slice(bytes);
        let stream = std::mem::take(&mut self.rest);
        let mut left = &stream[..];
        let mut onward = Vec::with_capacity(stream.len());
        while let Some((header, _)) = left.split_first_chunk::<5>() {
            let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
            let Some(body) = left.get(5..length + 1) else { break };
            // A malformed body is left to sqlx, which refuses the connection.
            let _ = self.message(header[0], &mut Body(body));
            let (whole, more) = left.split_at(length + 1);
            if header[0] != b'A' {
                onward.extend_from_slice(whole);
            }
            left = more;
        }
        self.rest = left.to_vec();
        onward
    }

    /// Records that the server has closed the connection; returns the incomplete message to forward to sqlx.
    fn close(&mut self) -> Vec<u8> {
        self.closed = true;
        self.messages.push(Message::Lost);
        std::mem::take(&mut self.rest)
    }

    fn message(&mut self, kind: u8, body: &mut Body<'_>) -> Option<()> {
        match kind {
            b'T' => {
                let mut grid = Grid::default();
                for _ in 0..body.short()? {
                    grid.columns.push(body.text()?);
                    // The table's OID and the column's number; then the type, its size, its modifier and the format.
                    body.take(6)?;
                    grid.types.push(body.long()?);
                    body.take(8)?;
                }
                self.grid = Some(grid);
                self.began = false;
            }
            b'D' => {
                let count = body.short()?;
                let row: Option<Vec<_>> = (0..count).map(|_| body.value()).collect();
                self.grid.as_mut()?.rows.push(row?);
            }
            b'C' => {
                let tag = body.text()?;
                self.messages.push(match self.grid.take() {
                    Some(grid) => Message::Rows(grid),
                    None => Message::Complete(tag),
                });
            }
            b'N' => {
                let Report { severity, text, more, .. } = body.report()?;
                if self.grid.is_some() && !std::mem::replace(&mut self.began, true) {
                    self.messages.push(Message::Begins);
                }
                self.messages.push(Message::Notice { severity, text: text + &more });
            }
            b'E' => {
                // The rows so far are discarded.
                self.grid = None;
                let Report { severity, code, text, .. } = body.report()?;
                self.messages.push(Message::Error { severity, code, text });
            }
            b'A' => {
                let process = body.long()?.cast_signed();
                let (channel, payload) = (body.text()?, body.text()?);
                self.messages.push(Message::Notification { channel, payload, process });
            }
            _ => {}
        }
        Some(())
    }
}

/// The unread rest of a message.
struct Body<'b>(&'b [u8]);

impl<'b> Body<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, left) = self.0.split_at_checked(length)?;
        self.0 = left;
        Some(taken)
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2).and_then(|bytes| Some(u16::from_be_bytes(bytes.try_into().ok()?)))
    }

    fn long(&mut self) -> Option<u32> {
        self.take(4).and_then(|bytes| Some(u32::from_be_bytes(bytes.try_into().ok()?)))
    }

    /// Reads a zero-terminated text.
    fn text(&mut self) -> Option<String> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Some(text)
    }

    /// Reads a row's value in text format; the inner `None` is NULL, whose length is -1.
    fn value(&mut self) -> Option<Option<String>> {
        let length = self.long()?;
        if length == u32::MAX {
            return Some(None);
        }
        Some(Some(String::from_utf8_lossy(self.take(length as usize)?).into_owned()))
    }

    /// Reads an error or a notice.
    fn report(&mut self) -> Option<Report> {
        let mut report = Report::default();
        let (mut english, mut detail, mut hint) = (false, String::new(), String::new());
        loop {
            match self.take(1)?[0] {
                0 => {
                    report.more = detail + &hint;
                    return Some(report);
                }
                b'S' if !english => report.severity = self.text()?,
                b'V' => {
                    report.severity = self.text()?;
                    english = true;
                }
                b'C' => report.code = self.text()?,
                b'M' => report.text = self.text()?,
                b'D' => detail = format!("\nDETAIL:  {}", self.text()?),
                b'H' => hint = format!("\nHINT:  {}", self.text()?),
                _ => {
                    self.text()?;
                }
            }
        }
    }
}

/// The contents of an error or a notice.
#[derive(Default)]
struct Report {
    /// The untranslated severity where the server sends both.
    severity: String,
    code: String,
    text: String,
    /// DETAIL and HINT, as libpq appends them to the text of a notice.
    more: String,
}
