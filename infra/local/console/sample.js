/** A small file of the directorate's, for whoever has none at hand: three new violations on one plate. */

const HEADER = [
  "violation_no", "plate_family", "plate_governorate", "plate_category", "plate_letter", "plate_number",
  "violation_code", "violation_title", "legal_ref", "amount", "occurred_at", "sector_code", "sector_name",
];
const KINDS = [
  ["101", "تجاوز الإشارة الضوئية الحمراء", "25/1/أ", 200000],
  ["205", "استعمال الهاتف أثناء القيادة", "25/2/ج", 100000],
  ["310", "الوقوف في مكان ممنوع", "25/3/هـ", 50000],
];
const HOUR = 3600 * 1000;

/** The file, with numbers of its own each time, recorded in the last hours. */
export function sampleFile() {
  const now = Date.now();
  const batch = now.toString(36).toUpperCase();
  const rows = KINDS.map(([code, title, article, amount], index) => [
    `S-${batch}-${index + 1}`, "german", "11", "private", "ب", "12345",
    code, title, article, amount, `${new Date(now - (index + 1) * HOUR).toISOString().slice(0, 19)}Z`, "K-01", "قاطع الكرخ",
  ]);
  const csv = [HEADER, ...rows].map((row) => row.join(",")).join("\r\n") + "\r\n";
  return new File([csv], "sample.csv", { type: "text/csv" });
}
