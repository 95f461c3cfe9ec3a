//! The load: each connection sends a request, waits for its response, and sends the next.
//!
//! A few threads each run an event loop over their share of the connections. Only requests answered
//! between the start and the end of the measurement window count.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use green_inbox::clock::Clock;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::Failure;
use super::answer;
use super::latencies::Latencies;
use super::request::Composer;

/// Longest time until each connection has received its first response.
const SETTLING: Duration = Duration::from_secs(10);

/// Longest time after the window for responses to requests sent within it.
const GRACE: Duration = Duration::from_secs(10);

/// Pause before a failed connection is reopened.
const AGAIN: Duration = Duration::from_millis(20);

/// Interval at which an idle thread checks whether the window has started or ended.
const TICK: Duration = Duration::from_millis(20);

/// The load to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// The connections are spread evenly over them.
    pub(crate) addresses: [SocketAddr; 2],
    pub(crate) connections: usize,
    /// Threads of the generator.
    pub(crate) senders: usize,
    /// Load before the window, not counted.
    pub(crate) warm_up: Duration,
    /// Length of the window.
    pub(crate) measured: Duration,
}

/// The result of a load.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests that got 200 within the window.
    pub(crate) accepted: u64,
    /// Requests that got another response, or none.
    pub(crate) errors: u64,
    /// Latencies of requests that got 200.
    pub(crate) latencies: Latencies,
}

/// Start and end of the measurement window.
#[derive(Debug, Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

/// State shared by the threads.
struct Course {
    load: Load,
    clock: Clock,
    settled: AtomicUsize,
    window: OnceLock<Window>,
}

impl Load {
    /// Sends the load, and calls `mark` when the window starts and when it ends.
    pub(crate) fn send(
        &self,
        composer: &Composer,
        mut mark: impl FnMut(),
    ) -> Result<Tally, Failure> {
        let course = Course {
            load: *self,
            clock: Clock::system(),
            settled: AtomicUsize::new(0),
            window: OnceLock::new(),
        };
        thread::scope(|scope| {
            let senders: Vec<_> = (0..self.senders.min(self.connections))
                .map(|nth| {
                    let (course, composer) = (&course, composer.clone());
                    scope.spawn(move || Sender::new(course, composer, nth)?.run())
                })
                .collect();
            course.wait_until_settled();
            let begin = Instant::now() + self.warm_up;
            let window = *course.window.get_or_init(|| Window {
                begin,
                end: begin + self.measured,
            });
            for moment in [window.begin, window.end] {
                thread::sleep(moment.saturating_duration_since(Instant::now()));
                mark();
            }
            let mut tally = Tally::default();
            for sender in senders {
                let sent = sender.join().map_err(|_| "a sender panicked")??;
                tally.accepted += sent.accepted;
                tally.errors += sent.errors;
                tally.latencies.add(&sent.latencies);
            }
            Ok(tally)
        })
    }
}

impl Course {
    /// Waits until every connection has received a response, or until the time is over. Connections
    /// without a response count as errors at the end.
    fn wait_until_settled(&self) {
        let deadline = Instant::now() + SETTLING;
        while self.settled.load(Ordering::Relaxed) < self.load.connections
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// One thread with its share of the connections.
struct Sender<'c> {
    course: &'c Course,
    composer: Composer,
    poll: Poll,
    connections: Vec<Connection>,
    /// Connections that failed, and when each is opened again.
    waiting: Vec<(Instant, usize)>,
    /// Number of the next request, and the distance to the one after.
    number: u64,
    step: u64,
    timestamp: u64,
    tally: Tally,
    buffer: Box<[u8]>,
}

struct Connection {
    stream: TcpStream,
    state: State,
    /// When the request in flight was sent.
    since: Instant,
    /// The first part of an incomplete response.
    partial: Vec<u8>,
    is_settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Waiting,
    /// The connection failed and will be reopened, or the window is over.
    Idle,
}

impl<'c> Sender<'c> {
    fn new(course: &'c Course, composer: Composer, nth: usize) -> io::Result<Self> {
        let Load {
            connections,
            senders,
            ..
        } = course.load;
        let senders = senders.min(connections);
        let mut sender = Self {
            course,
            composer,
            poll: Poll::new()?,
            connections: Vec::new(),
            waiting: Vec::new(),
            number: nth as u64,
            step: senders as u64,
            timestamp: 0,
            tally: Tally::default(),
            buffer: vec![0; 16 * 1024].into(),
        };
        for index in 0..(connections + senders - 1 - nth) / senders {
            let connection = sender.open(index)?;
            sender.connections.push(connection);
        }
        Ok(sender)
    }

    /// Starts to connect. The event loop reports completion.
    fn open(&self, index: usize) -> io::Result<Connection> {
        let mut stream = TcpStream::connect(self.course.load.addresses[index % 2])?;
        self.poll.registry().register(
            &mut stream,
            Token(index),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        Ok(Connection {
            stream,
            state: State::Connecting,
            since: Instant::now(),
            partial: Vec::new(),
            is_settled: false,
        })
    }

    fn run(mut self) -> io::Result<Tally> {
        let mut events = Events::with_capacity(1024);
        loop {
            let now = Instant::now();
            if self.is_over(now) {
                let unanswered = |connection: &&Connection| connection.state != State::Idle;
                self.tally.errors += self.connections.iter().filter(unanswered).count() as u64;
                return Ok(self.tally);
            }
            let millis = self.course.clock.now().0;
            self.timestamp = u64::try_from(millis / 1000).unwrap_or(0);
            self.open_again(now)?;
            if let Err(error) = self.poll.poll(&mut events, Some(TICK))
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            for event in &events {
                self.turn(event)?;
            }
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        let Some(window) = self.course.window.get() else {
            return false;
        };
        let is_idle = |connection: &Connection| connection.state == State::Idle;
        now >= window.end && self.connections.iter().all(is_idle) || now >= window.end + GRACE
    }

    fn is_sending(&self, now: Instant) -> bool {
        let window = self.course.window.get();
        window.is_none_or(|window| now < window.end)
    }

    fn open_again(&mut self, now: Instant) -> io::Result<()> {
        let is_sending = self.is_sending(now);
        while let Some(at) = self.waiting.iter().position(|(when, _)| *when <= now) {
            let (_, index) = self.waiting.swap_remove(at);
            if is_sending {
                self.replace(index)?;
            }
        }
        Ok(())
    }

    fn replace(&mut self, index: usize) -> io::Result<()> {
        let is_settled = self.connections[index].is_settled;
        self.connections[index] = Connection {
            is_settled,
            ..self.open(index)?
        };
        Ok(())
    }

    fn turn(&mut self, event: &Event) -> io::Result<()> {
        let Token(index) = event.token();
        match self.connections[index].state {
            State::Connecting if event.is_writable() || event.is_error() => {
                let connection = &self.connections[index];
                if let Some(_refused) = connection.stream.take_error()? {
                    self.failed(index);
                    return Ok(());
                }
                // Send small packets at once (disable Nagle's algorithm).
                connection.stream.set_nodelay(true)?;
                let since = connection.since;
                self.send_request(index, since);
                Ok(())
            }
            State::Waiting if event.is_readable() => self.read_response(index),
            _ => Ok(()),
        }
    }

    /// Sends the next request.
    fn send_request(&mut self, index: usize, since: Instant) {
        let request = self.composer.request(self.number, self.timestamp);
        self.number += self.step;
        let connection = &mut self.connections[index];
        connection.since = since;
        connection.state = State::Waiting;
        // The previous response was read, so the socket has room for a request of about 1 KB.
        if connection.stream.write(request).ok() != Some(request.len()) {
            self.failed(index);
        }
    }

    /// Reads the available part of a response.
    fn read_response(&mut self, index: usize) -> io::Result<()> {
        let connection = &mut self.connections[index];
        let read = match connection.stream.read(&mut self.buffer) {
            Ok(read) if read > 0 => read,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Ok(());
            }
            Ok(_) | Err(_) => {
                self.failed(index);
                return Ok(());
            }
        };
        let read = &self.buffer[..read];
        let answer = if connection.partial.is_empty() {
            answer::read(read)
        } else {
            connection.partial.extend_from_slice(read);
            answer::read(&connection.partial)
        };
        let Some(answer) = answer else {
            if connection.partial.is_empty() {
                connection.partial.extend_from_slice(read);
            }
            return Ok(());
        };
        connection.partial.clear();
        let now = Instant::now();
        self.count(index, answer.is_ok, now);
        if !self.is_sending(now) {
            self.connections[index].state = State::Idle;
        } else if answer.closes {
            self.replace(index)?;
        } else {
            self.send_request(index, now);
        }
        Ok(())
    }

    fn count(&mut self, index: usize, is_ok: bool, now: Instant) {
        let connection = &mut self.connections[index];
        if !connection.is_settled {
            connection.is_settled = true;
            self.course.settled.fetch_add(1, Ordering::Relaxed);
        }
        let Some(window) = self.course.window.get() else {
            return;
        };
        if now < window.begin {
            return;
        }
        if !is_ok {
            self.tally.errors += 1;
            return;
        }
        self.tally.latencies.record(now - connection.since);
        if now < window.end {
            self.tally.accepted += 1;
        }
    }

    /// Records that the server refused or closed the connection.
    fn failed(&mut self, index: usize) {
        let now = Instant::now();
        if let Some(window) = self.course.window.get()
            && now >= window.begin
        {
            self.tally.errors += 1;
        }
        self.connections[index].state = State::Idle;
        self.waiting.push((now + AGAIN, index));
    }
}
