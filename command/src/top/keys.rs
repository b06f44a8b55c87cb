//! What keys do.

use std::ops::ControlFlow;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::State;
use super::view::View;
use crate::statistic::OF_SAMPLES;

/// Keys and what they do, for the help.
pub const HELP: [(&str, &str); 15] = [
    ("q, Ctrl-C", "end; a COMMAND is told to end, too"),
    ("Ctrl-Z", "suspend, until the shell's fg"),
    ("arrows, pages", "move the cursor; also j k g G, Home and End"),
    ("space", "take the metric into the chart, or out of it"),
    ("c", "clear the chart: it shows the cursor's metric then"),
    ("/", "filter by a regular expression; Esc takes it away"),
    ("s", "sort by name, type, rate, newest value"),
    ("r", "reverse the order"),
    ("a", "scale curves by powers of ten, to share the axis"),
    ("v", "which curve of timings: mean, median, p75, ... count/s"),
    ("w", "timings of their last second, or of all the time"),
    ("p", "pause: the screen stays, receiving goes on"),
    ("?", "this help"),
    ("", ""),
    ("", "Rates are per second. The newest of a counter is its sum so far."),
];

/// The terminal is raw: Ctrl-Z comes as a key, not as a signal.
pub fn is_suspend(key: &KeyEvent) -> bool {
    key.code == KeyCode::Char('z') && key.modifiers.contains(KeyModifiers::CONTROL)
}

/// Does what a key says; breaks at the one to quit.
pub fn press(key: KeyEvent, view: &mut View, state: &mut State) -> ControlFlow<()> {
    if key.kind == KeyEventKind::Release {
        return ControlFlow::Continue(());
    }
    view.note = "";
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c' | 'd') => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
    }
    if view.filter.typing {
        type_filter(key.code, view);
        return ControlFlow::Continue(());
    }
    if std::mem::take(&mut view.help) && key.code != KeyCode::Char('q') {
        return ControlFlow::Continue(());
    }
    let page = view.rows.max(1) as isize;
    match key.code {
        KeyCode::Char('q') => return ControlFlow::Break(()),
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => view.help = true,
        KeyCode::Char('/') => view.filter.typing = true,
        KeyCode::Esc => {
            view.filter.text.clear();
            refilter(view);
        }
        KeyCode::Up | KeyCode::Char('k') => view.move_by(-1),
        KeyCode::Down | KeyCode::Char('j') => view.move_by(1),
        KeyCode::PageUp => view.move_by(-page),
        KeyCode::PageDown => view.move_by(page),
        KeyCode::Home | KeyCode::Char('g') => view.move_by(isize::MIN),
        KeyCode::End | KeyCode::Char('G') => view.move_by(isize::MAX),
        KeyCode::Char(' ') => {
            view.choose();
            view.move_by(1);
        }
        KeyCode::Char('c') => view.chosen.clear(),
        KeyCode::Char('s') => view.order.next(),
        KeyCode::Char('r') => view.order.reverse(),
        KeyCode::Char('a') => view.automatic = !view.automatic,
        KeyCode::Char('v') => {
            let next = view.statistic.map_or(0, |statistic| statistic + 1);
            view.statistic = Some(next).filter(|next| *next < OF_SAMPLES.len());
        }
        KeyCode::Char('w') => view.whole = !view.whole,
        KeyCode::Char('p') => view.pause(state),
        _ => {}
    }
    ControlFlow::Continue(())
}

fn type_filter(code: KeyCode, view: &mut View) {
    match code {
        KeyCode::Char(c) => view.filter.text.push(c),
        KeyCode::Backspace => {
            view.filter.text.pop();
        }
        KeyCode::Enter => view.filter.typing = false,
        KeyCode::Esc => {
            view.filter.typing = false;
            view.filter.text.clear();
        }
        _ => return,
    }
    refilter(view);
}

fn refilter(view: &mut View) {
    if view.filter.read() {
        view.order.begin_anew();
    }
}
