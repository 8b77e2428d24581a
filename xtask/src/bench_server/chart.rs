//! Groups of bars as SVG, readable on light and on dark ground.

/// The drawing's size, and the room for what stands around the bars.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = 48.0;

/// Share of a group's width that stays empty.
const GAP: f64 = 0.2;

/// Lines above the one at the bottom, at most.
const LINES: u32 = 5;

/// Colours follow what the reader's system asks for.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2430 }
.title { font-weight: 600; font-size: 15px }
.small { font-size: 11px }
.line { stroke: #d5d9e2 }
.bar-0 { fill: #8b93a7 } .bar-1 { fill: #3457d5 } .bar-2 { fill: #d9822b }
@media (prefers-color-scheme: dark) {
text { fill: #e6e8ee }
.line { stroke: #3a4152 }
.bar-0 { fill: #7d869c } .bar-1 { fill: #7b95ff } .bar-2 { fill: #f0a04b }
}
";

/// Bars of one colour, one in each group.
#[derive(Debug)]
pub struct Series {
    /// What they show.
    pub name: &'static str,
    /// Their heights, one for each group.
    pub values: Vec<f64>,
}

/// Draws up to three series.
pub fn draw(title: &str, groups: &[String], series: &[Series]) -> String {
    let highest = series
        .iter()
        .flat_map(|series| series.values.iter().copied())
        .fold(1.0, f64::max);
    let step = round_step(highest / f64::from(LINES));
    let top = (highest / step).ceil() * step;
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value / top);
    let group_width = (WIDTH - LEFT - RIGHT) / number(groups.len());
    let bar_width = group_width * (1.0 - GAP) / number(series.len());

    let mut elements = vec![
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">"),
        format!("<title>{title}</title>"),
        format!("<style>\n{STYLE}</style>"),
        format!("<text class=\"title\" x=\"{LEFT}\" y=\"26\">{title}</text>"),
    ];
    let mut legend = LEFT;
    for (order, Series { name, .. }) in series.iter().enumerate() {
        elements.push(rectangle(order, legend, 41.0, 12.0, 12.0));
        elements.push(format!("<text x=\"{:.0}\" y=\"52\">{name}</text>", legend + 18.0));
        legend += 36.0 + 7.5 * number(name.chars().count());
    }
    for line in 0..=LINES {
        let value = step * f64::from(line);
        if value > top {
            break;
        }
        let (height, right) = (y(value), WIDTH - RIGHT);
        elements.push(format!(
            "<line class=\"line\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{height:.1}\" y2=\"{height:.1}\"/>"
        ));
        elements.push(small_text("end", LEFT - 8.0, height + 4.0, &value.to_string()));
    }
    for (index, group) in groups.iter().enumerate() {
        let start = LEFT + group_width * (number(index) + GAP / 2.0);
        for (order, series) in series.iter().enumerate() {
            let (left, value) = (start + bar_width * number(order), series.values[index]);
            elements.push(rectangle(
                order,
                left + 1.0,
                y(value),
                bar_width - 2.0,
                y(0.0) - y(value),
            ));
            let figure = format!("{value:.0}");
            elements.push(small_text(
                "middle",
                left + bar_width / 2.0,
                y(value) - 5.0,
                &figure,
            ));
        }
        let (middle, below) = (LEFT + group_width * (number(index) + 0.5), HEIGHT - BOTTOM + 20.0);
        elements.push(format!(
            "<text text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{below}\">{group}</text>"
        ));
    }
    elements.push("</svg>\n".to_owned());
    elements.join("\n")
}

fn rectangle(order: usize, left: f64, top: f64, width: f64, height: f64) -> String {
    format!(
        "<rect class=\"bar-{order}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
    )
}

fn small_text(anchor: &str, x: f64, y: f64, text: &str) -> String {
    format!("<text class=\"small\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>")
}

/// The next number of 1, 2 or 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10.0_f64.powf(least.log10().floor());
    let digit = [1.0, 2.0, 5.0].into_iter().find(|digit| digit * power >= least);
    digit.unwrap_or(10.0) * power
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_at_round_numbers() {
        for (least, step) in [
            (0.9, 1.0),
            (1.1, 2.0),
            (260.0, 500.0),
            (510.0, 1000.0),
            (2000.0, 2000.0),
        ] {
            assert!((round_step(least) - step).abs() < 1e-9, "{least}");
        }
    }

    #[test]
    fn every_value_is_a_bar_with_its_figure() {
        let series = |name, values: [f64; 2]| Series {
            name,
            values: values.to_vec(),
        };
        let groups = ["1 connection".to_owned(), "16 connections".to_owned()];
        let svg = draw(
            "Requests/s",
            &groups,
            &[series("a", [10.0, 20.0]), series("b", [1234.4, 5.0])],
        );
        assert_eq!(svg.matches("<rect").count(), 2 + 4);
        for text in ["16 connections", ">1234<", ">1500<", "Requests/s"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }
}
