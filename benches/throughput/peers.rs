//! Third-party servers, installed once from their registries into a folder of the comparison.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::thread;

use super::Failure;
use super::contestant::Contestant;

/// A third-party server.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Installs it into the folder for all installations.
    pub(crate) install: fn(&Self, &Path) -> Result<Contestant, Failure>,
}

/// The name of GREEN-API's own receiver.
pub(crate) const GREEN_API: &str = "green-api-python";

pub(crate) const PEERS: [Peer; 4] = [
    Peer {
        name: GREEN_API,
        about: "GREEN-API's own receiver (Tornado); stores nothing",
        install: green_api,
    },
    Peer {
        name: "flask",
        about: "Flask, gunicorn and sqlite3; one transaction for each request",
        install: flask,
    },
    Peer {
        name: "express",
        about: "express and better-sqlite3; one transaction for each request",
        install: express,
    },
    Peer {
        name: "webhook",
        about: "Debian's webhook; starts the program `true` for each request and stores nothing",
        install: webhook,
    },
];

fn green_api(peer: &Peer, folder: &Path) -> Result<Contestant, Failure> {
    let python = python(folder)?.join("python");
    let script = folder.join("green_api.py");
    fs::write(&script, include_str!("peers/green_api.py"))?;
    Ok(Contestant::new(peer.name, peer.about, "/", move |place| {
        let mut command = Command::new(&python);
        command.arg(&script).arg(place.port.to_string());
        command
    }))
}

fn flask(peer: &Peer, folder: &Path) -> Result<Contestant, Failure> {
    let gunicorn = python(folder)?.join("gunicorn");
    let folder = folder.to_owned();
    fs::write(
        folder.join("flask_app.py"),
        include_str!("peers/flask_app.py"),
    )?;
    // The number that gunicorn's documentation advises. Threaded workers, because the other kinds
    // close the connection after each response.
    let workers = 2 * thread::available_parallelism()?.get() + 1;
    Ok(Contestant::new(
        peer.name,
        peer.about,
        "/webhook",
        move |place| {
            let mut command = Command::new(&gunicorn);
            command
                .arg(format!("--bind={}", place.public()))
                .arg(format!("--workers={workers}"))
                .args(["--worker-class=gthread", "--threads=4", "--keep-alive=60"])
                .arg("--no-control-socket")
                .arg("--pythonpath")
                .arg(&folder)
                .arg("flask_app:app")
                .env("DATABASE", place.database());
            command
        },
    ))
}

/// Creates a virtual environment with the packages of both Python servers.
fn python(folder: &Path) -> Result<std::path::PathBuf, Failure> {
    let environment = folder.join("python");
    let programs = environment.join("bin");
    let requirements = include_str!("peers/requirements.txt");
    once(folder, "python", requirements, || {
        run(Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment))?;
        let list = folder.join("requirements.txt");
        fs::write(&list, requirements)?;
        run(Command::new(programs.join("pip"))
            .args(["install", "--quiet", "--requirement"])
            .arg(list))
    })?;
    Ok(programs)
}

fn express(peer: &Peer, folder: &Path) -> Result<Contestant, Failure> {
    let packages = include_str!("peers/package.json");
    once(folder, "express", packages, || {
        fs::write(folder.join("package.json"), packages)?;
        run(Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder))
    })?;
    let script = folder.join("express.mjs");
    fs::write(&script, include_str!("peers/express.mjs"))?;
    Ok(Contestant::new(
        peer.name,
        peer.about,
        "/webhook",
        move |place| {
            let mut command = Command::new("node");
            command
                .arg(&script)
                .arg(place.port.to_string())
                .env("NODE_ENV", "production")
                .env("DATABASE", place.database());
            command
        },
    ))
}

/// Extracts webhook from its Debian package, so that no root is needed.
fn webhook(peer: &Peer, folder: &Path) -> Result<Contestant, Failure> {
    let package = folder.join("webhook");
    once(folder, "webhook", "", || {
        fs::create_dir_all(&package)?;
        run(Command::new("apt-get")
            .args(["download", "--quiet", "webhook"])
            .current_dir(&package))?;
        let file = fs::read_dir(&package)?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "deb"));
        let file = file.ok_or("apt-get downloaded no package")?;
        run(Command::new("dpkg-deb").arg("-x").arg(file).arg(&package))
    })?;
    let program = package.join("usr/bin/webhook");
    let hooks = folder.join("hooks.json");
    fs::write(&hooks, include_str!("peers/hooks.json"))?;
    Ok(Contestant::new(
        peer.name,
        peer.about,
        "/hooks/webhook",
        move |place| {
            let mut command = Command::new(&program);
            command.arg("-hooks").arg(&hooks).args([
                "-ip",
                "127.0.0.1",
                "-port",
                &place.port.to_string(),
            ]);
            command
        },
    ))
}

/// Installs `what`, unless it is already installed from the same list.
fn once(
    folder: &Path,
    what: &str,
    list: &str,
    install: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let marker = folder.join(format!("{what}.installed"));
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == list) {
        return Ok(());
    }
    eprintln!("installing {what} …");
    install()?;
    Ok(fs::write(marker, list)?)
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{program} is not installed"),
        _ => format!("{program}: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().rfind(|line| !line.trim().is_empty());
    Err(format!(
        "{program} failed: {}",
        last.unwrap_or("it printed no error")
    )
    .into())
}
