//! A chart of requests a second by connections, for the README. Its colours are legible on a light
//! and on a dark page.

use std::fmt::Write as _;

use super::comparison::Results;
use super::measurement::Spread;

const COLOURS: [&str; 8] = [
    "#54749b", "#d4a017", "#2da44e", "#8250df", "#38a3f5", "#e0632f", "#d6409f", "#12a5a5",
];

/// Colour of text and lines.
const INK: &str = "#818b98";

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 40.0;

/// The chart as SVG.
pub(crate) fn svg(results: &Results, connections: &[u32]) -> String {
    let names: Vec<&'static str> = results.contestants.iter().map(|one| one.name).collect();
    let rate = |name, connections| {
        results
            .cells
            .get(&(name, connections))
            .and_then(|cell| cell.spread(|measured| measured.rate))
    };
    let most = names
        .iter()
        .flat_map(|name| connections.iter().map(|&count| rate(*name, count)))
        .flatten()
        .map(|spread| spread.maximum)
        .fold(1.0, f64::max);
    let scale = Scale::up_to(most);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Requests a second by connections\" font-family=\"sans-serif\" \
         font-size=\"12\" fill=\"{INK}\">\n"
    );
    legend(&mut svg, &names);
    scale.lines(&mut svg);
    let group = (WIDTH - LEFT) / number(connections.len().max(1));
    let bar = group * 0.9 / number(names.len().max(1));
    for (nth, &count) in connections.iter().enumerate() {
        let start = LEFT + group * (number(nth) + 0.05);
        for (which, name) in names.iter().enumerate() {
            if let Some(spread) = rate(*name, count) {
                let left = start + bar * number(which);
                scale.bar(&mut svg, left, bar, spread, COLOURS[which % COLOURS.len()]);
            }
        }
        let plural = if count == 1 { "" } else { "s" };
        let (x, y) = (start + group * 0.45, HEIGHT - BOTTOM + 20.0);
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{count} connection{plural}</text>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String, names: &[&str]) {
    let _ = writeln!(
        svg,
        "<text x=\"4\" y=\"16\" font-weight=\"bold\">Requests a second, median of the rounds; the \
         thin line spans minimum to maximum</text>"
    );
    let mut left = LEFT;
    for (name, colour) in names.iter().zip(COLOURS.iter().cycle()) {
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"28\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"38\">{name}</text>",
            left + 17.0
        );
        left += 36.0 + 7.0 * number(name.len());
    }
}

/// The vertical scale of the chart.
struct Scale {
    /// The rate between two grid lines.
    step: f64,
    top: f64,
}

impl Scale {
    /// A scale up to `most`, with grid lines at 1, 2 or 5 times a power of ten.
    fn up_to(most: f64) -> Self {
        let power = 10_f64.powf((most / 5.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
        let step = steps.into_iter().find(|step| step * 5.0 >= most);
        let step = step.unwrap_or(most);
        Self {
            step,
            top: (most / step).ceil() * step,
        }
    }

    fn y(&self, rate: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * rate / self.top
    }

    fn lines(&self, svg: &mut String) {
        let mut rate = 0.0;
        while rate <= self.top {
            let y = self.y(rate);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{INK}\" \
                 stroke-opacity=\"0.3\"/><text x=\"{:.1}\" y=\"{:.1}\" \
                 text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                short(rate)
            );
            rate += self.step;
        }
    }

    fn bar(&self, svg: &mut String, left: f64, width: f64, spread: Spread, colour: &str) {
        let (top, bottom) = (self.y(spread.median), self.y(0.0));
        let middle = left + width / 2.0;
        let (least, most) = (self.y(spread.minimum), self.y(spread.maximum));
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"1.5\" \
             fill=\"{colour}\"/><line x1=\"{middle:.1}\" x2=\"{middle:.1}\" y1=\"{least:.1}\" \
             y2=\"{most:.1}\" stroke=\"{INK}\"/><text x=\"{middle:.1}\" y=\"{:.1}\" \
             font-size=\"9\" text-anchor=\"middle\">{}</text>",
            left + 1.0,
            (width - 2.0).max(1.0),
            bottom - top,
            most - 4.0,
            short(spread.median)
        );
    }
}

/// A rate in few enough characters for the width of a bar.
fn short(rate: f64) -> String {
    if rate >= 10_000.0 {
        format!("{:.0}k", rate / 1000.0)
    } else if rate >= 1000.0 {
        format!("{:.1}k", rate / 1000.0)
    } else {
        format!("{rate:.0}")
    }
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
