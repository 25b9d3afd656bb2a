/// Finds what a misspelt word was meant to be.
public enum Suggestion {
    /// The word that begins like this one, or the nearest by edit distance, if it is near enough to be a slip of the fingers.
    public static func nearest(to word: String, among words: some Sequence<String>) -> String? {
        // Nobody mistypes a name that long, and the distance takes the product of both lengths.
        guard word.utf8.count <= 64 else { return nil }
        let scored = words.map { (word: $0, distance: distance(word.lowercased(), $0.lowercased())) }
        guard let best = scored.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else { return nil }
        if best.distance <= max(1, word.count / 3) { return best.word }
        let longer = scored.filter { word.count >= 2 && $0.word.lowercased().hasPrefix(word.lowercased()) }
        return longer.min { ($0.distance, $0.word) < ($1.distance, $1.word) }?.word
    }

    /// `; did you mean 'location'?`, or all names if none is near.
    public static func hint(for word: String, among words: [String]) -> String {
        if let nearest = nearest(to: word, among: words) { return "; did you mean '\(nearest)'?" }
        return words.isEmpty ? "; there are none here" : "; valid are \(words.sorted().joined(separator: ", "))"
    }

    /// The optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours, each counted one
    /// (F. Damerau, 1964; restricted form).
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left), Array(right))
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { rows[i][0] = i }
        for j in 0...b.count { rows[0][j] = j }
        for i in 1...a.count {
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
                }
            }
        }
        return rows[a.count][b.count]
    }
}
