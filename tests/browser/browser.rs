//! A browser of its own for each test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::support::process::PATIENCE;
use crate::support::request;

/// Milliseconds between two looks at the page.
const PAUSE: u64 = 50;

/// A browser window. Dropping it ends the browser.
pub struct Browser {
    driver: WebDriver,
    port: u16,
    process: Child,
    server: SocketAddr,
}

impl Browser {
    /// A browser of an English reader, for the pages of this server.
    pub async fn open(server: SocketAddr) -> Self {
        Self::in_language(server, "en-US").await
    }

    pub async fn in_language(server: SocketAddr, language: &str) -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("started successfully on port ")?;
                rest.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver names its port");
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1280,900",
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        capabilities
            .add_arg(&format!("--accept-lang={language}"))
            .unwrap();
        capabilities
            .set("goog:loggingPrefs", json!({ "browser": "ALL" }))
            .unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities)
            .await
            .expect("chromium starts");
        Self {
            driver,
            port,
            process,
            server,
        }
    }

    pub async fn go(&self, path: &str) {
        self.driver
            .goto(format!("http://{}{path}", self.server))
            .await
            .unwrap();
    }

    /// Opens a page of another site.
    pub async fn foreign(&self, html: &str) {
        self.driver
            .goto(format!("data:text/html,{html}"))
            .await
            .unwrap();
    }

    /// Runs a script in the page and returns its result.
    pub async fn run(&self, script: &str) -> Value {
        let result = self.driver.execute(script, Vec::new()).await;
        result
            .unwrap_or_else(|error| panic!("{script}: {error}"))
            .json()
            .clone()
    }

    /// Waits until the script returns true.
    pub async fn wait(&self, condition: &str) {
        let deadline = Instant::now() + PATIENCE;
        let script = format!("return Boolean({condition});");
        while self.run(&script).await != true {
            if Instant::now() > deadline {
                let text = self.run("return document.body.innerText;").await;
                panic!(
                    "{condition} did not become true: {text}; {:?}",
                    self.errors().await
                );
            }
            tokio::time::sleep(Duration::from_millis(PAUSE)).await;
        }
    }

    /// Waits until the live list has rows or says that there are none, and follows the stream.
    pub async fn wait_for_live(&self) {
        self.wait("document.getElementById('connection')?.dataset.state === 'live'")
            .await;
    }

    pub async fn click(&self, selector: &str) {
        self.driver
            .find(By::Css(selector))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    pub async fn enter(&self, selector: &str, text: &str) {
        self.driver
            .find(By::Css(selector))
            .await
            .unwrap()
            .send_keys(text)
            .await
            .unwrap();
    }

    /// Presses a key without choosing an element.
    pub async fn press(&self, key: &str) {
        self.driver
            .action_chain()
            .send_keys(key)
            .perform()
            .await
            .unwrap();
    }

    /// Errors and warnings of the console since the last call; a violation of the policy is one of them.
    pub async fn errors(&self) -> Vec<String> {
        let session = self.driver.session_id().to_string();
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let path = format!("/session/{session}/se/log");
        let headers = [("content-type", "application/json")];
        let answer = request(
            address,
            Method::POST,
            &path,
            &headers,
            r#"{"type":"browser"}"#,
        )
        .await;
        let log = answer.json();
        let entries = log["value"].as_array().unwrap().iter();
        entries
            .filter(|entry| entry["level"] != "DEBUG" && entry["level"] != "INFO")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Sets the size of the page and the preferred colours.
    pub async fn look(&self, width: u32, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        )
        .await;
        let metrics =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics)
            .await;
    }

    /// Nodes of all documents, and bytes of the heap of the scripts, after the garbage is collected.
    pub async fn memory(&self) -> (u64, u64) {
        self.devtools("HeapProfiler.collectGarbage", &json!({}))
            .await;
        let counters = self.devtools("Memory.getDOMCounters", &json!({})).await;
        let heap = self.devtools("Runtime.getHeapUsage", &json!({})).await;
        let number = |value: &Value| value.as_u64().unwrap();
        (number(&counters["nodes"]), number(&heap["usedSize"]))
    }

    async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let session = self.driver.session_id().to_string();
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let path = format!("/session/{session}/goog/cdp/execute");
        let body = json!({ "cmd": command, "params": parameters }).to_string();
        let headers = [("content-type", "application/json")];
        let answer = request(address, Method::POST, &path, &headers, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["value"].clone()
    }

    /// Ends the browser; asserts that the console has no error.
    pub async fn close(self) {
        assert_eq!(self.errors().await, Vec::<String>::new());
        self.driver.clone().quit().await.unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
