import HTTPTypes

/// Which methods there are at which paths: for telling a wrong method from a path that is not there.
struct KnownPaths: Sendable {
    private var methods: [[Substring]: Set<HTTPRequest.Method>] = [:]

    /// - Parameter routes: the paths, with `{name}` for a segment that is a parameter.
    init(_ routes: [(path: String, method: HTTPRequest.Method)]) {
        for (path, method) in routes { methods[path.split(separator: "/"), default: []].insert(method) }
    }

    /// The methods at a path as `Allow` lists them (RFC 9110, section 10.2.1); `nil` where there is no such path.
    func allowed(at path: String) -> String? {
        let segments = path.split(separator: "/")
        // What is spelt out goes before what is a parameter, as with the router.
        let best = methods.filter { Self.matches($0.key, segments) }.max { Self.spelledOut($0.key) < Self.spelledOut($1.key) }
        guard let best else { return nil }
        let names = best.value.map(\.rawValue) + (best.value.contains(.get) ? ["HEAD"] : [])
        return names.sorted().joined(separator: ", ")
    }

    private static func spelledOut(_ pattern: [Substring]) -> Int {
        pattern.count { !$0.hasPrefix("{") }
    }

    private static func matches(_ pattern: [Substring], _ segments: [Substring]) -> Bool {
        pattern.count == segments.count && zip(pattern, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }
}
