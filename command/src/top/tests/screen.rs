//! A screen that tests fill, press keys at and read.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::view::View;
use super::super::{State, keys, screen};
use crate::tally::Tally;

pub struct Screen {
    pub state: State,
    pub view: View,
    /// What came, as it is to be read: the values of a timing in each second.
    pub timings: Vec<Vec<f64>>,
}

/// Numbers that look like chance, the same each time.
pub fn chance(n: u64) -> u64 {
    (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) % 100_000
}

impl Screen {
    pub fn new(scales: &[&str]) -> Screen {
        let scales = scales.iter().map(|scale| scale.parse().unwrap()).collect();
        let state = State::new(Tally::new(None));
        Screen { state, view: View::new("", scales, true).unwrap(), timings: Vec::new() }
    }

    /// Three seconds of 1,000 timings each, counters, totals and gauges.
    pub fn filled(scales: &[&str]) -> Screen {
        let mut screen = Screen::new(scales);
        for second in 0..3u64 {
            let mut values = Vec::new();
            for n in 0..1000 {
                let thousandths = chance(second * 1000 + n);
                screen.add(&format!(
                    "cache.load:{}.{:03}|ms",
                    thousandths / 1000,
                    thousandths % 1000
                ));
                values.push(thousandths as f64 / 1000.0);
            }
            screen.timings.push(values);
            for n in 0..10 {
                screen.add(&format!("requests:{n}|c\nrx:{}|C", 100 * second + 10 * n));
            }
            screen.add(&format!("cache.0.size:{}|g\ncache.0.count:12|g", (second + 1) << 20));
            screen.state.history.tick(&mut screen.state.tally, 1.0);
        }
        screen
    }

    pub fn add(&mut self, datagram: &str) {
        self.state.tally.add_datagram(datagram.as_bytes());
    }

    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\x1b' => KeyCode::Esc,
                '\u{2193}' => KeyCode::Down,
                key => KeyCode::Char(key),
            };
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            let _ = keys::press(key, &mut self.view, &mut self.state);
            self.buffer(80, 24);
        }
    }

    pub fn buffer(&mut self, width: u16, height: u16) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let (state, view) = (&mut self.state, &mut self.view);
        terminal.draw(|frame| screen::draw(frame, state, view, "127.0.0.1:8125")).unwrap();
        terminal.backend().buffer().clone()
    }

    pub fn drawn(&mut self, width: u16, height: u16) -> Vec<String> {
        let buffer = self.buffer(width, height);
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(line).collect()
    }

    /// The cells of the row of a metric, of a certain type.
    pub fn row(&mut self, width: u16, name: &str) -> Vec<String> {
        let lines = self.drawn(width, 50);
        let head = lines.iter().position(|line| line.contains("rate/s")).unwrap();
        let line = lines[head..].iter().find(|line| line.contains(&format!(" {name} ")));
        let cells = line.unwrap_or_else(|| panic!("{name}: {lines:#?}")).split_whitespace();
        cells.skip_while(|cell| *cell != name).map(str::to_owned).collect()
    }
}
