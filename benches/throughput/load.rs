//! The load: each connection sends a request, waits for its answer, and sends the next.
//!
//! Few threads, each with one event loop over its share of the connections. Time is the real one;
//! what is counted is what was answered between the beginning and the end of the window.

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

/// How long it may take until each connection was answered once.
const SETTLING: Duration = Duration::from_secs(10);

/// How long after the window an answer may come that was asked for before its end.
const GRACE: Duration = Duration::from_secs(10);

/// How long a connection that failed waits.
const AGAIN: Duration = Duration::from_millis(20);

/// How often a thread looks whether the window has begun or ended, where nothing comes.
const TICK: Duration = Duration::from_millis(20);

/// What is to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    /// Threads of the generator.
    pub(crate) senders: usize,
    /// Not counted.
    pub(crate) warm_up: Duration,
    /// Counted.
    pub(crate) measured: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests that were answered 200 within the window.
    pub(crate) accepted: u64,
    /// Requests that were answered otherwise, or not at all.
    pub(crate) errors: u64,
    /// Of requests that were answered 200.
    pub(crate) latencies: Latencies,
}

/// When what is counted begins and ends.
#[derive(Debug, Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

/// What the threads share.
struct Course {
    load: Load,
    clock: Clock,
    settled: AtomicUsize,
    window: OnceLock<Window>,
}

impl Load {
    /// Sends, and calls `mark` when the window begins and when it ends.
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
    /// Those that are not answered in this time are counted as errors in the end.
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
    /// Number of the next request, and how far it is to the one after.
    number: u64,
    step: u64,
    timestamp: u64,
    tally: Tally,
    buffer: Box<[u8]>,
}

struct Connection {
    stream: TcpStream,
    state: State,
    /// When the request was begun that waits for its answer.
    since: Instant,
    /// The beginning of an answer that came in parts.
    partial: Vec<u8>,
    is_settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Waiting,
    /// It failed and is opened again later, or the time is over.
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
        for place in 0..(connections + senders - 1 - nth) / senders {
            let connection = sender.open(place)?;
            sender.connections.push(connection);
        }
        Ok(sender)
    }

    /// Begins to connect; the loop hears of the end.
    fn open(&self, place: usize) -> io::Result<Connection> {
        let mut stream = TcpStream::connect(self.course.load.address)?;
        self.poll.registry().register(
            &mut stream,
            Token(place),
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
            let (_, place) = self.waiting.swap_remove(at);
            if is_sending {
                self.replace(place)?;
            }
        }
        Ok(())
    }

    fn replace(&mut self, place: usize) -> io::Result<()> {
        let is_settled = self.connections[place].is_settled;
        self.connections[place] = Connection {
            is_settled,
            ..self.open(place)?
        };
        Ok(())
    }

    fn turn(&mut self, event: &Event) -> io::Result<()> {
        let Token(place) = event.token();
        match self.connections[place].state {
            State::Connecting if event.is_writable() || event.is_error() => {
                let connection = &self.connections[place];
                if let Some(_refused) = connection.stream.take_error()? {
                    self.failed(place);
                    return Ok(());
                }
                // Small packets are not held back for others to come.
                connection.stream.set_nodelay(true)?;
                let since = connection.since;
                self.ask(place, since);
                Ok(())
            }
            State::Waiting if event.is_readable() => self.listen(place),
            _ => Ok(()),
        }
    }

    /// Sends the next request.
    fn ask(&mut self, place: usize, since: Instant) {
        let request = self.composer.request(self.number, self.timestamp);
        self.number += self.step;
        let connection = &mut self.connections[place];
        connection.since = since;
        connection.state = State::Waiting;
        // The answer was read, so the socket has room for a request of little more than 1 KB.
        if connection.stream.write(request).ok() != Some(request.len()) {
            self.failed(place);
        }
    }

    /// Reads what is there of an answer.
    fn listen(&mut self, place: usize) -> io::Result<()> {
        let connection = &mut self.connections[place];
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
                self.failed(place);
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
        self.count(place, answer.is_ok, now);
        if !self.is_sending(now) {
            self.connections[place].state = State::Idle;
        } else if answer.closes {
            self.replace(place)?;
        } else {
            self.ask(place, now);
        }
        Ok(())
    }

    fn count(&mut self, place: usize, is_ok: bool, now: Instant) {
        let connection = &mut self.connections[place];
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

    /// The server refused or closed the connection.
    fn failed(&mut self, place: usize) {
        let now = Instant::now();
        if let Some(window) = self.course.window.get()
            && now >= window.begin
        {
            self.tally.errors += 1;
        }
        self.connections[place].state = State::Idle;
        self.waiting.push((now + AGAIN, place));
    }
}
