//! One chart as a picture: SVG, or PNG made of it.
#![forbid(unsafe_code)]

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Axis;
use super::chart::{Chart, Curve};
use super::collect::Collection;
use crate::figure::{tick, utc};

const SIZE: (u32, u32) = (960, 400);
const MARGIN: i32 = 18;
/// Of the title, and of a row of the legend.
const TITLE: i32 = 46;
const ROW: i32 = 24;

const INK: RGBColor = RGBColor(0x1b, 0x24, 0x30);
const FAINT: RGBColor = RGBColor(0x5b, 0x66, 0x75);
const GRID: RGBColor = RGBColor(0xe8, 0xeb, 0xef);

type Wrong = DrawingAreaErrorKind<std::io::Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The chart as SVG.
pub fn svg(collection: &Collection, chart: &Chart) -> Result<String, String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        draw(&area, collection, chart).map_err(|wrong| format!("the picture: {wrong}"))?;
        area.present().map_err(|wrong| format!("the picture: {wrong}"))?;
    }
    Ok(text)
}

/// The chart as PNG, two dots for each of the SVG's.
pub fn png(collection: &Collection, chart: &Chart) -> Result<Vec<u8>, String> {
    const SCALE: u32 = 2;
    let mut options = resvg::usvg::Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_system_fonts();
    let known = |family: &&str| {
        fonts.faces().any(|face| face.families.iter().any(|(name, _)| name == family))
    };
    let usual = ["Inter", "DejaVu Sans", "Liberation Sans", "Noto Sans", "Roboto", "Arial"];
    let first = || fonts.faces().next().map(|face| face.families[0].0.clone());
    let family = usual.iter().find(|f| known(f)).map(|f| (*f).to_owned()).or_else(first);
    let family =
        family.ok_or("this system has no font for a .png: make an .svg, or install one")?;
    fonts.set_sans_serif_family(family);
    let tree = resvg::usvg::Tree::from_str(&svg(collection, chart)?, &options)
        .map_err(|wrong| format!("the picture: {wrong}"))?;
    let mut pixels = resvg::tiny_skia::Pixmap::new(SIZE.0 * SCALE, SIZE.1 * SCALE)
        .ok_or("the picture is too large")?;
    let scale = resvg::tiny_skia::Transform::from_scale(SCALE as f32, SCALE as f32);
    resvg::render(&tree, scale, &mut pixels.as_mut());
    pixels.encode_png().map_err(|wrong| format!("the picture: {wrong}"))
}

fn draw(area: &Area, collection: &Collection, chart: &Chart) -> Result<(), Wrong> {
    area.fill(&WHITE)?;
    let title = ("sans-serif", 25).into_text_style(area).color(&INK);
    area.draw_text(&chart.title, &title, (MARGIN, 14))?;
    let unit = text(area, &FAINT).pos(Pos::new(HPos::Right, VPos::Top));
    area.draw_text(&chart.unit, &unit, (SIZE.0 as i32 - MARGIN, 20))?;
    let rows = draw_legend(area, chart)?;
    let (_, plot) = area.split_vertically(TITLE + rows * ROW);

    let lines: Vec<_> = chart.curves.iter().map(|curve| curve.line(collection)).collect();
    let axis = Axis::of(&lines);
    let (seconds, low) = (collection.seconds.max(1e-3), axis.low());
    let (divisor, unit) = match seconds {
        0.0..600.0 => (1.0, "seconds"),
        600.0..36_000.0 => (60.0, "minutes"),
        36_000.0..864_000.0 => (3_600.0, "hours"),
        _ => (86_400.0, "days"),
    };
    let mut axes = ChartBuilder::on(&plot)
        .margin_top(10)
        .margin_right(MARGIN)
        .margin_bottom(10)
        .x_label_area_size(52)
        .y_label_area_size(72)
        .build_cartesian_2d(0.0..seconds / divisor, axis)?;
    axes.configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(GRID)
        .label_style(text(area, &FAINT))
        .x_labels(9)
        .y_labels(7)
        .x_label_formatter(&|x| tick(*x))
        .y_label_formatter(&|y| tick((y * 1e9).round() / 1e9))
        .x_desc(format!("{unit} since {}", utc(collection.start.unix_us, "%F %T UTC")))
        .draw()?;
    for curve in &chart.curves {
        let colour = colour(curve);
        let style = colour.stroke_width(2);
        for run in runs(collection, curve, divisor) {
            if chart.curves.len() == 1 {
                axes.draw_series(AreaSeries::new(run.clone(), low, colour.mix(0.13)))?;
            }
            if curve.is_dashed {
                axes.draw_series(DashedLineSeries::new(run, 7, 4, style))?;
            } else {
                axes.draw_series(LineSeries::new(run, style))?;
            }
        }
    }
    Ok(())
}

/// Names beside a piece of their line, in as many rows as they need.
fn draw_legend(area: &Area, chart: &Chart) -> Result<i32, Wrong> {
    const LINE: i32 = 22;
    let (mut x, mut row) = (MARGIN, 0);
    let style = text(area, &INK).pos(Pos::new(HPos::Left, VPos::Center));
    for curve in &chart.curves {
        let label = curve.legend();
        // a font's usual width: which one will draw it is not known
        let width = LINE + 8 + label.chars().count() as i32 * 8 + 20;
        if x > MARGIN && x + width > SIZE.0 as i32 {
            (x, row) = (MARGIN, row + 1);
        }
        let y = TITLE + row * ROW + ROW / 2;
        let ends = [(x, y), (x + LINE, y)];
        let stroke = colour(curve).stroke_width(3);
        if curve.is_dashed {
            area.draw(&DashedPathElement::new(ends, 7, 4, stroke))?;
        } else {
            area.draw(&PathElement::new(ends, stroke))?;
        }
        area.draw_text(&label, &style, (x + LINE + 8, y))?;
        x += width;
    }
    Ok(row + 1)
}

/// The pieces of a line: there is a gap where there is no value.
fn runs(collection: &Collection, curve: &Curve, divisor: f64) -> Vec<Vec<(f64, f64)>> {
    let values = curve.of(collection).values();
    let mut runs = vec![Vec::new()];
    for (row, value) in values.iter().enumerate() {
        let last = runs.len() - 1;
        if !value.is_nan() {
            let x = collection.times.at(row) / divisor;
            runs[last].push((x, value / curve.scale.divisor));
        } else if !runs[last].is_empty() {
            runs.push(Vec::new());
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn text<'a>(area: &Area, colour: &'a RGBColor) -> TextStyle<'a> {
    ("sans-serif", 18).into_text_style(area).color(colour)
}

fn colour(curve: &Curve) -> RGBColor {
    let hex = curve.colour.light.trim_start_matches('#');
    let [_, r, g, b] = u32::from_str_radix(hex, 16).unwrap_or(0).to_be_bytes();
    RGBColor(r, g, b)
}
