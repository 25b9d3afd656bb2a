/// A length of time as people write it: `45s`, `30m`, `12h`, `90d`, `2w`.
public enum TimeSpan {
    /// - Returns: the seconds, a century at most; `nil` if the text is none.
    public static func seconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count > 0,
            count <= 36_500 * 86_400 / unit
        else { return nil }
        return count * unit
    }
}
