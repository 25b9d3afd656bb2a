@testable import EMSCore

/// Times, ids and cursors: what is read is written and read again as the same; what a cursor was read from is what it writes.
@Sendable func fuzzValues(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let time = Timestamp(text) {
        expect(time >= .earliest && time <= .latest, "\(time.milliseconds) ms are out of range")
        expect(Timestamp(time.description) == time, "\(text) was read as \(time)")
    }
    if let id = EventID(text) {
        expect(EventID(id.description) == id, "\(text) was read as \(id)")
        expect(id.description.utf8.count == 32, "\(id) has not 32 characters")
    }
    if let cursor = accepted({ try PageCursor(text) }) {
        expect(areIdentical(cursor.text, text), "the cursor \(cursor.text) was read from \(text)")
        _ = accepted { try PageRequest(after: cursor).validate(isSearch: true) }
        _ = accepted { try PageRequest(after: cursor).validate(isSearch: false) }
    }
    var script = Script(bytes)
    // Any number is a time to a document of the database, and must be shown.
    let time = Timestamp(milliseconds: script.integer())
    expect(time.description.utf8.count == 24, "\(time.milliseconds) ms have the form \(time)")
    _ = time.secondsSinceEpoch
    _ = time.adding(seconds: script.integer())
    let page = PageRequest(number: script.integer(), size: script.integer())
    if (try? page.validate()) != nil {
        expect(page.offset >= 0 && page.offset <= PageRequest.depthLimit, "page \(page.number) of \(page.size) is allowed")
    }
    fuzzPlace(&script)
}

/// The bounds of a circle hold its centre.
private func fuzzPlace(_ script: inout Script) {
    let latitude = Double(script.integer(as: Int16.self)) / Double(Int16.max) * 90
    let longitude = Double(script.integer(as: Int16.self)) / Double(Int16.max) * 180
    let radius = max(1, Double(script.integer(as: UInt16.self))) / 65_535 * EventQuery.Area.largestRadius
    let center = Coordinates(latitude: max(-90, latitude), longitude: max(-180, longitude))
    let bounds = center.bounds(radius: radius)
    expect(bounds.latitudes.contains(center.latitude), "the latitudes \(bounds.latitudes) do not hold \(center)")
    expect(bounds.longitudes.contains(center.longitude), "the longitudes \(bounds.longitudes) do not hold \(center)")
    expect(center.distance(to: center) == 0, "\(center) is far from itself")
}

/// Addresses, ranges and proxies: an address that is read is written and read again as the same, a range holds its own address, and whom
/// nobody trusts does not choose the address it counts as. Input: lines.
@Sendable func fuzzAddress(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let text = script.line()
    let address = NetworkAddress(text)
    if let address {
        expect(NetworkAddress(address.description) == address, "\(text) was read as \(address)")
        expect(!text.utf8.contains(0), "an address ends within its text")
        _ = address.limitKey
    }
    let range = NetworkRange(text)
    if let range, let base = NetworkAddress(text.prefix { $0 != "/" }) { expect(range.contains(base), "\(text) does not hold \(base)") }
    let peer = NetworkAddress(script.line()) ?? .local
    let forwarded = [script.line(), script.line()]
    expect(TrustedProxies().client(of: peer, forwardedFor: forwarded) == peer, "nobody is trusted, and yet believed")
    let client = TrustedProxies([range].compactMap(\.self)).client(of: peer, forwardedFor: forwarded)
    if range?.contains(peer) != true { expect(client == peer, "\(peer) is not trusted, and yet believed") }
}
