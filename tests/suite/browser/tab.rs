//! A page in a tab of headless Chromium, driven over its DevTools protocol.

use headless_chrome::{
    Browser, LaunchOptions, Tab,
    browser::default_executable,
    protocol::cdp::{
        Emulation::{MediaFeature, SetDeviceMetricsOverride, SetEmulatedMedia},
        Log::LogEntryLevel,
        Network,
        Runtime::ConsoleAPICalledEventTypeOption,
        types::Event,
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    ffi::OsStr,
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What keeps the browser from looking for updates and the like, and lets it run as root.
const ARGUMENTS: [&str; 6] = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// What an element is called in these tests, and whether it has an outline.
const NAME_AND_OUTLINE: &str = r##"(node) => {
    const kinds = [".legend button", ".tools button", "thead button", ".files a"];
    const style = getComputedStyle(node);
    const kind = kinds.find((kind) => node.matches(kind)) ?? `${node.tagName}${node.className && `.${node.className}`}`;
    return [node.id ? `${node.tagName}#${node.id}` : kind, style.outlineStyle !== "none" && style.outlineWidth !== "0px"];
}"##;

/// A page that is open in a browser of its own.
pub(crate) struct Page {
    tab: Arc<Tab>,
    /// Whatever went wrong on it, and what it asked the network for.
    wrong: Arc<Mutex<Vec<String>>>,
    _browser: Browser,
}

impl Page {
    /// Opens a file; `None`, having said so, where there is no browser.
    pub(crate) fn open(file: &Path) -> Option<Self> {
        let Ok(program) = default_executable() else {
            eprintln!("skipped: no browser is found");
            return None;
        };
        let options = LaunchOptions {
            path: Some(program),
            sandbox: false,
            window_size: Some((1280, 900)),
            args: ARGUMENTS.iter().map(OsStr::new).collect(),
            idle_browser_timeout: Duration::from_secs(300),
            ..LaunchOptions::default()
        };
        let browser = Browser::new(options).expect("the browser starts");
        let tab = browser.new_tab().expect("the browser opens a tab");
        tab.set_default_timeout(Duration::from_secs(60));
        let wrong = watch(&tab);
        let url = format!("file://{}", file.display());
        tab.navigate_to(&url).and_then(|tab| tab.wait_until_navigated()).expect("the file is opened");
        let page = Self { tab, wrong, _browser: browser };
        page.wait_for(
            "document.readyState === 'complete' && document.querySelector('#all-tables table') !== null",
            "the page is filled",
        );
        Some(page)
    }

    /// The value of an expression.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let text = self.tab.evaluate(&format!("JSON.stringify({expression})"), false);
        let text = text.unwrap_or_else(|error| panic!("{expression}: {error}")).value;
        let text = text.as_ref().and_then(Value::as_str).unwrap_or("null");
        serde_json::from_str(text).expect("the browser writes JSON")
    }

    /// The same of a kind.
    pub(crate) fn values<T: DeserializeOwned>(&self, expression: &str) -> T {
        serde_json::from_value(self.value(expression)).expect("the value is of this kind")
    }

    /// Does something.
    pub(crate) fn run(&self, statement: &str) {
        self.tab.evaluate(statement, false).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// What can be read in the first such element.
    pub(crate) fn text(&self, selector: &str) -> String {
        self.values(&format!("document.querySelector({selector:?}).innerText"))
    }

    /// Waits until a condition holds; panics if it does not.
    pub(crate) fn wait_for(&self, condition: &str, what: &str) {
        for _ in 0..600 {
            if self.value(&format!("Boolean({condition})")) == Value::Bool(true) {
                return;
            }
            thread::sleep(Duration::from_millis(25));
        }
        panic!("not so: {what}; {:?}", self.complaints());
    }

    /// Clicks the first such element where it stands on the screen, as a hand would.
    pub(crate) fn click(&self, selector: &str) {
        self.run(&format!(
            "document.querySelector({selector:?}).scrollIntoView({{ behavior: 'instant', block: 'center' }})"
        ));
        let element = self.tab.find_element(selector).unwrap_or_else(|error| panic!("{selector}: {error}"));
        element.click().unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Picks an option of a list.
    pub(crate) fn pick(&self, selector: &str, value: &str) {
        self.run(&format!(
            "{{ const list = document.querySelector({selector:?}); list.value = {value:?}; list.dispatchEvent(new Event('change')); }}"
        ));
    }

    /// The value to which a promise comes.
    pub(crate) fn promised<T: DeserializeOwned>(&self, promise: &str) -> T {
        let text = self.tab.evaluate(&format!("({promise}).then(JSON.stringify)"), true);
        let text = text.unwrap_or_else(|error| panic!("{promise}: {error}")).value;
        let text = text.as_ref().and_then(Value::as_str).unwrap_or("null");
        serde_json::from_str(text).expect("the value is of this kind")
    }

    /// Presses the tabulator so often; says what was reached each time, and whether it is seen.
    pub(crate) fn tab_through(&self, presses: usize) -> Vec<(String, bool)> {
        let reach = |_| {
            self.tab.press_key("Tab").expect("a key is pressed");
            self.values(&format!("({NAME_AND_OUTLINE})(document.activeElement)"))
        };
        (0..presses).map(reach).collect()
    }

    /// All links and controls that take the focus in the tabulator's order, and whether it is seen on them; panics if one
    /// does not.
    pub(crate) fn focusable(&self) -> Vec<(String, bool)> {
        let stuck: Vec<String> = self.values(
            r#"[...document.querySelectorAll("a[href], button, select, summary")]
                .filter((node) => node.checkVisibility() && !node.disabled)
                .filter((node) => { node.focus(); return node.tabIndex < 0 || document.activeElement !== node; })
                .map((node) => node.outerHTML)"#,
        );
        assert!(stuck.is_empty(), "{stuck:?}");
        self.values(&format!(
            r#"[...document.querySelectorAll("a[href], button, select, summary")]
                .filter((node) => node.checkVisibility() && !node.disabled)
                .map((node) => {{ node.focus(); return ({NAME_AND_OUTLINE})(node); }})"#
        ))
    }

    /// Shows the page on a phone with a screen of this size [px].
    pub(crate) fn narrow(&self, width: u32, height: u32) {
        let screen = SetDeviceMetricsOverride {
            width,
            height,
            device_scale_factor: 2.0,
            mobile: true,
            scale: None,
            screen_width: None,
            screen_height: None,
            position_x: None,
            position_y: None,
            dont_set_visible_size: None,
            screen_orientation: None,
            viewport: None,
            display_feature: None,
            device_posture: None,
        };
        self.tab.call_method(screen).expect("the screen is changed");
    }

    /// Lets the system prefer dark colors.
    pub(crate) fn prefer_dark(&self) {
        let dark = MediaFeature { name: "prefers-color-scheme".to_owned(), value: "dark".to_owned() };
        self.tab.call_method(SetEmulatedMedia { media: None, features: Some(vec![dark]) }).expect("the system is dark");
    }

    /// What went wrong until now.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.wrong.lock().expect("nobody panics with the lock").clone()
    }

    /// Panics if the page has logged an error, thrown an exception or asked the network for anything.
    pub(crate) fn assert_nothing_went_wrong(&self) {
        let wrong = self.complaints();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// Gathers what goes wrong on a page.
fn watch(tab: &Arc<Tab>) -> Arc<Mutex<Vec<String>>> {
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let gathered = Arc::clone(&wrong);
    let listener = move |event: &Event| {
        if let Some(what) = complaint(event) {
            gathered.lock().expect("nobody panics with the lock").push(what);
        }
    };
    tab.add_event_listener(Arc::new(listener)).expect("the page is listened to");
    tab.enable_log().and_then(|tab| tab.enable_runtime()).expect("the page tells what it logs");
    let network = Network::Enable {
        max_total_buffer_size: None,
        max_resource_buffer_size: None,
        max_post_data_size: None,
        report_direct_socket_traffic: None,
        enable_durable_messages: None,
    };
    tab.call_method(network).expect("the page tells what it asks for");
    wrong
}

/// What is wrong with an event, if anything is.
fn complaint(event: &Event) -> Option<String> {
    match event {
        Event::NetworkRequestWillBeSent(request) => {
            let url = &request.params.request.url;
            let local = ["file:", "data:", "blob:"].iter().any(|scheme| url.starts_with(scheme));
            (!local).then(|| format!("asked for {url}"))
        }
        Event::RuntimeExceptionThrown(thrown) => Some(format!("{:?}", thrown.params.exception_details)),
        Event::RuntimeConsoleAPICalled(called) => match called.params.Type {
            ConsoleAPICalledEventTypeOption::Error | ConsoleAPICalledEventTypeOption::Warning => {
                Some(format!("{:?}", called.params.args))
            }
            _ => None,
        },
        Event::LogEntryAdded(added) => {
            let entry = &added.params.entry;
            matches!(entry.level, LogEntryLevel::Error | LogEntryLevel::Warning).then(|| entry.text.clone())
        }
        _ => None,
    }
}
