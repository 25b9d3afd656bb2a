/// The syntax of http and https URLs (RFC 3986; RFC 9110, section 4.2). Letters beyond ASCII may stand as they are (RFC 3987).
enum WebURL {
    static func isValid(_ text: String) -> Bool {
        guard !text.unicodeScalars.contains(where: { $0.properties.isWhitespace || Printable.isControl($0) }) else { return false }
        let bytes = Array(text.utf8)
        let scheme = bytes.prefix { $0 != UInt8(ascii: ":") }
        guard ["http", "https"].contains(String(decoding: scheme, as: UTF8.self).lowercased()) else { return false }
        let rest = bytes.dropFirst(scheme.count)
        guard rest.starts(with: "://".utf8) else { return false }
        let afterSlashes = rest.dropFirst(3)
        let authority = afterSlashes.prefix { !"/?#".utf8.contains($0) }
        return isAuthority(authority) && isPath(afterSlashes.dropFirst(authority.count))
    }

    private static func isAuthority(_ bytes: ArraySlice<UInt8>) -> Bool {
        var host = bytes
        if let at = bytes.lastIndex(of: UInt8(ascii: "@")) {
            guard consists(bytes[..<at], of: unreserved + delimiters + ":") else { return false }
            host = bytes[(at + 1)...]
        }
        if let colon = host.lastIndex(of: UInt8(ascii: ":")), host.last != UInt8(ascii: "]") {
            guard host[(colon + 1)...].allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return false }
            host = host[..<colon]
        }
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
            return NetworkAddress(String(decoding: host.dropFirst().dropLast(), as: UTF8.self))?.bytes.isEmpty == false
                && host.contains(UInt8(ascii: ":"))
        }
        return !host.isEmpty && consists(host, of: unreserved + delimiters)
    }

    /// Path, query and fragment.
    private static func isPath(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count(where: { $0 == UInt8(ascii: "#") }) <= 1 else { return false }
        return consists(bytes, of: unreserved + delimiters + ":@/?#")
    }

    private static let unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    private static let delimiters = "!$&'()*+,;="

    /// Whether there is nothing but these characters and escapes (`%` and two hex digits).
    private static func consists(_ bytes: ArraySlice<UInt8>, of allowed: String) -> Bool {
        let allowed = Set(allowed.utf8)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "%") {
                guard bytes.endIndex - index > 2, Set("0123456789ABCDEFabcdef".utf8).isSuperset(of: bytes[(index + 1)...(index + 2)]) else {
                    return false
                }
                index += 3
            } else {
                guard allowed.contains(bytes[index]) || bytes[index] >= 0x80 else { return false }
                index += 1
            }
        }
        return true
    }
}
