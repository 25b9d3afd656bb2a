import EMSCore

/// What a client is content with (RFC 9110, section 12.5.1).
enum AcceptHeader {
    /// - Parameters:
    ///   - header: `nil` where the client did not say.
    ///   - offered: the media types that there are.
    /// - Throws: ``EMSError`` with ``ErrorCode/notAcceptable`` where the client wants none of them.
    static func check(_ header: String?, _ offered: [String]) throws {
        guard let header, header != "*/*", !offered.contains(where: { accepts($0, header) }) else { return }
        throw EMSError(
            .notAcceptable, "the answer is \(offered.joined(separator: " or ")), which the Accept header excludes",
            fix: "send Accept: \(offered[0])")
    }

    /// Whether the most specific range that fits has a quality above zero.
    static func accepts(_ mediaType: String, _ header: String) -> Bool {
        let kind = mediaType.prefix { $0 != "/" }
        var best: (specificity: Int, quality: Double)?
        for range in header.split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
            guard let type = parts.first else { continue }
            let specificity = type == mediaType ? 3 : type == "\(kind)/*" ? 2 : type == "*/*" ? 1 : 0
            guard specificity > best?.specificity ?? 0 else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            best = (specificity, quality ?? 1)
        }
        return (best?.quality ?? 0) > 0
    }
}
