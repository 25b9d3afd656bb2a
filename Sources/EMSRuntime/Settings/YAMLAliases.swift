import EMSCore

/// Aliases of aliases double the document with each line: reading a few of them takes hours.
enum YAMLAliases {
    private static let limit = 16

    /// - Throws: ``EMSError`` with ``ErrorCode/configuration`` where a file uses more aliases than settings can need.
    static func refuseMany(_ text: String, path: String) throws {
        var previous: UInt8 = 0x0A
        var count = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "*"), " \t\n[,:?-{".utf8.contains(previous) { count += 1 }
            previous = byte
        }
        guard count > limit else { return }
        throw EMSError(.configuration, "\(path) uses more than \(limit) aliases (*name)", fix: "write the values out")
    }
}
