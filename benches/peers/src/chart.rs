//! The table as a bar chart: SVG with a light and a dark colour scheme.

use std::fmt::Write;

use crate::report::{Conditions, Report};

const WIDTH: f64 = 860.0;
const NAMES: f64 = 270.0;
const BAR: f64 = 18.0;
const STEP: f64 = 27.0;
const TOP: f64 = 74.0;

const STYLE: &str = "
  .paper { fill: #ffffff; }
  text { fill: #1f2328; font: 13px system-ui, sans-serif; }
  .title { font-size: 16px; font-weight: 600; }
  .note { fill: #59636e; font-size: 11px; }
  .raw { fill: #8c959f; } .gate { fill: #0969da; } .peer { fill: #bc6a1a; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; }
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    .raw { fill: #6e7681; } .gate { fill: #4493f8; } .peer { fill: #db8b3c; }
  }
";

pub fn draw(report: &Report, conditions: &Conditions) -> String {
    let longest = report.measured.iter().map(|measured| measured.median()).fold(0.0, f64::max);
    let scale = (WIDTH - NAMES - 200.0) / longest;
    let count = u32::try_from(report.measured.len()).unwrap_or(0);
    let bottom = TOP + STEP * f64::from(count);
    let height = bottom + 56.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"16\" y=\"28\">{title}</text>\n\
         <text class=\"note\" x=\"16\" y=\"48\">Median time of one call: shorter is better. \
         Grey is RSA alone.</text>\n",
        title = escaped(report.title),
    );
    let mut y = TOP;
    for measured in &report.measured {
        let class = match measured.name.split([' ', ':']).next() {
            Some("raw") => "raw",
            Some("claimgate") => "gate",
            _ => "peer",
        };
        let microseconds = measured.median() / 1_000.0;
        let digits = if microseconds < 1.0 { 2 } else { 1 };
        let length = (measured.median() * scale).max(1.5);
        let allocations = match measured.allocations {
            0 => String::new(),
            1 => ", 1 allocation".to_owned(),
            n => format!(", {n} allocations"),
        };
        let text_y = y + 13.5;
        let _ = writeln!(
            svg,
            "<text x=\"{NAMES}\" y=\"{text_y}\" text-anchor=\"end\">{name}</text>\
             <rect class=\"{class}\" x=\"{bar_x}\" y=\"{y}\" width=\"{length:.1}\" \
             height=\"{BAR}\" rx=\"2\"/>\
             <text x=\"{label_x:.1}\" y=\"{text_y}\">{microseconds:.digits$} µs{allocations}</text>",
            name = escaped(&measured.name),
            bar_x = NAMES + 10.0,
            label_x = NAMES + 18.0 + length,
        );
        y += STEP;
    }
    let notes = [
        format!("{} · {} · {}", conditions.date, conditions.machine, conditions.rustc),
        conditions.versions.clone(),
    ];
    for (note, y) in notes.iter().zip([bottom + 22.0, bottom + 40.0]) {
        let _ = writeln!(svg, "<text class=\"note\" x=\"16\" y=\"{y}\">{}</text>", escaped(note));
    }
    svg.push_str("</svg>\n");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
