//! Panics: caught, and told by an error.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    env, panic,
    panic::AssertUnwindSafe,
    sync::Once,
};

thread_local! {
    /// Whether a panic of this thread is caught here.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// Where in the source the last one was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What `call` returns or, if it panics, why and where in the source.
///
/// Nothing is printed of the panic, unless a backtrace is asked for: the error says all of it, and once.
pub fn caught<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        let backtrace = env::var_os("RUST_BACKTRACE").is_some_and(|wanted| wanted != "0");
        panic::set_hook(Box::new(move |info| {
            if CATCHING.get() {
                PLACE.set(info.location().map(ToString::to_string));
            }
            if backtrace || !CATCHING.get() {
                usual(info);
            }
        }));
    });
    let before = CATCHING.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(call));
    CATCHING.set(before);
    outcome.map_err(|panic| {
        let why = text(panic.as_ref());
        PLACE.take().map_or_else(|| why.to_owned(), |place| format!("{why} ({place})"))
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown reason")
}
