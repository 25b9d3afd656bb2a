@testable import EMSCore
@testable import EMSServer
import HummingbirdCore
import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// A connection's bytes come out of the decoder and the guards as requests with one host and no wish for an upgrade, or are answered with
/// a problem. Input: how many bytes come at a time, and the bytes.
@Sendable func fuzzHTTP(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let step = Int(script.byte()) + 1
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
    do {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = ConnectionChannel.headBytes
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
        try channel.pipeline.syncOperations.addHandlers([
            HTTPResponseEncoder(), decoder, RequestGuard(endpoint: nil), UpgradeGate(endpoint: nil, admitted: NIOLockedValueBox(nil)),
        ])
        while !script.isAtEnd { try channel.writeInbound(ByteBuffer(bytes: script.bytes(step))) }
    } catch {
        // The decoder has told the guard of it, or the connection ends.
    }
    while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
        guard case .head(let head) = part else { continue }
        expect(!head.headers.contains(name: "Upgrade"), "a wish for an upgrade has passed")
        if head.version == .http1_1 { expect(head.headers["Host"].count == 1, "a request has \(head.headers["Host"].count) hosts") }
        _ = UpgradeGate.isHandshake(head)
        expectConsistent(WebSocketRequest(head))
        _ = accepted { try eventQuery(URI(head.uri)) }
    }
    guard var answer = try? channel.readOutbound(as: ByteBuffer.self) else { return }
    expect(answer.readString(length: 10) == "HTTP/1.1 4", "broken bytes are not answered as the client's fault")
}

/// Each kind of query parameter reads any text as a value within its bounds, or refuses it.
@Sendable func fuzzParameters(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let number = PageParameters.number.convert(text) { expect(number >= 1, "page \(number)") }
    if let size = PageParameters.size.convert(text) { expect(PageRequest.sizeRange.contains(size), "\(size) on a page") }
    if let number = radius.convert(text) { expect(number > 0 && number <= EventQuery.Area.largestRadius, "\(number) km") }
    if let place = near.convert(text) {
        expect((-90...90).contains(place.latitude) && (-180...180).contains(place.longitude), "\(place) is nowhere")
    }
    if let time = startsAfter.convert(text) { expect(time >= .earliest && time <= .latest, "\(time) is out of range") }
    _ = (everywhere.convert(text), status.convert(text), sort.convert(text), tagMatch.convert(text), tag.convert(text))
    _ = QueryParameter<PageCursor>.after.convert(text)
    let pairs = QueryReader.parameters(of: text)
    _ = accepted { try QueryReader.refuseUndecodable(text) }
    _ = accepted { try QueryReader.refuseUnknown(pairs.map { String($0.key) }, valid: ["page", "page_size", "after"]) }
}

/// A query is read as it was declared or refused, and one that is valid asks for rows within reach.
@Sendable func fuzzQuery(_ bytes: [UInt8]) {
    guard let query = accepted({ try eventQuery(URI("/events/search?" + String(decoding: bytes, as: UTF8.self))) }) else { return }
    guard accepted({ try query.validate() }) != nil else { return }
    expect(query.tags.count <= EventQuery.tagCountLimit, "\(query.tags.count) tags are asked for")
    if query.page.after == nil { expect(query.page.offset <= PageRequest.depthLimit, "the page is out of reach") }
    if let area = query.area {
        let bounds = area.center.bounds(radius: area.radiusKilometres)
        expect(bounds.latitudes.contains(area.center.latitude), "the bounds do not hold their centre")
    }
}

/// The headers that we read ourselves; a tag names a version only by the very text that was sent for it. Input: lines.
@Sendable func fuzzHeaders(_ bytes: [UInt8]) {
    var script = Script(bytes)
    let tag = script.line()
    if let version = EntityTag.version(tag) {
        expect(areIdentical(tag, "\"\(version)\""), "\(tag) is taken for the tag of version \(version)")
        expect(EntityTag.isListed("\"\(version)\"", in: tag), "\(tag) is not its own list")
    }
    let authorization = script.line()
    if let token = BearerToken.token(inAuthorization: authorization) {
        expect(!token.isEmpty && !token.contains(" "), "'\(token)' is taken for a token")
    }
    let accept = script.line()
    _ = accepted { try AcceptHeader.check(accept, ["application/json", "text/html"]) }
    _ = AcceptEncoding.takesGzip(accept)
    _ = accepted { try APIRequest.require(["application/json"], accept) }
    _ = EntityTag.isListed("\"1\"", in: accept)
    let path = script.line()
    if let allowed = knownPaths.allowed(at: path) {
        expect(allowed.contains("DELETE") || allowed.contains("GET"), "\(path) allows \(allowed)")
    }
    expectConsistent(
        WebSocketRequest(uri: path, authorization: authorization, protocols: [accept], origin: script.line(), host: script.line()))
    let reason = script.line()
    expect(ServerFrame.close(1000, reason: reason).readableBytes <= 127, "a control frame is too long")
}

/// The clock gives a request its time, whatever comes in which order: a head cannot grow without end, and whoever does not read is not
/// waited for without end.
@Sendable func fuzzClock(_ bytes: [UInt8]) {
    var script = Script(bytes)
    var clock = RequestClock()
    expect(clock.opened() == .seconds(RequestClock.Limit.idleSeconds), "a connection begins without a deadline")
    var headBytes = 0
    var isReadingBody = false
    var isStuck = false
    while !script.isAtEnd {
        switch script.byte() % 5 {
        case 0:
            let count = Int(script.integer(as: UInt16.self))
            let deadline = clock.receivedBytes(count)
            if isReadingBody { expect(deadline == .unchanged, "the bytes of a body put its deadline off") }
            if !isReadingBody { headBytes += count }
            expect(isReadingBody || (headBytes > RequestClock.Limit.headBytes) == (deadline == .now), "a head of \(headBytes) bytes")
        case 1:
            let deadline = clock.receivedHead()
            (headBytes, isReadingBody) = (0, true)
            expect(deadline == .seconds(isStuck ? RequestClock.Limit.writeSeconds : RequestClock.Limit.bodySeconds), "\(deadline)")
        case 2:
            let deadline = clock.receivedEnd()
            isReadingBody = false
            expect(deadline == (isStuck ? .seconds(RequestClock.Limit.writeSeconds) : .none), "\(deadline)")
        case 3:
            let deadline = clock.writabilityChanged(isWritable: false)
            expect(deadline == (isStuck ? .unchanged : .seconds(RequestClock.Limit.writeSeconds)), "\(deadline)")
            isStuck = true
        default:
            let deadline = clock.writabilityChanged(isWritable: true)
            expect((deadline == .unchanged) == !isStuck, "\(deadline)")
            isStuck = false
        }
    }
}

/// A search for events as its route reads it.
private func eventQuery(_ uri: URI) throws -> EventQuery {
    let names = [text, location, createdBy, tag].map(\.description) + [status.description, sort.description, tagMatch.description]
    let others = [startsAfter, startsBefore].map(\.description) + [near.description, radius.description, everywhere.description]
    let operation = EMSServer.Operation(
        id: "search", tag: .events, summary: "", parameters: names + others + PageParameters.descriptions, answers: [])
    let query = QueryReader(uri, for: operation)
    _ = try query(everywhere)
    let area = try query(near).map { EventQuery.Area(center: $0, radiusKilometres: try query(radius) ?? EventQuery.Area.usualRadius) }
    return EventQuery(
        text: try query(text), tags: try query.all(tag), tagMatch: try query(tagMatch) ?? .all, status: try query(status),
        location: try query(location), createdBy: try query(createdBy), startsAfter: try query(startsAfter),
        startsBefore: try query(startsBefore), area: area, sort: try query(sort), page: try query.page())
}

private let text = QueryParameter.text("q", "")
private let location = QueryParameter.text("location", "")
private let createdBy = QueryParameter.text("created_by", "")
private let tag = QueryParameter.text("tag", "", isRepeated: true)
private let tagMatch = QueryParameter<EventQuery.TagMatch>.word("tag_match", "")
private let status = QueryParameter<Event.Status>.word("status", "")
private let sort = QueryParameter<EventQuery.Sort>.word("sort", "")
private let startsAfter = QueryParameter.timestamp("start_after", "")
private let startsBefore = QueryParameter.timestamp("start_before", "")
private let near = QueryParameter.coordinates("near", "")
private let radius = QueryParameter.number("radius_km", "", upTo: EventQuery.Area.largestRadius, initially: EventQuery.Area.usualRadius)
private let everywhere = QueryParameter.boolean("everywhere", "")

private let knownPaths = KnownPaths(
    RouteGroups.all(for: Set(ServerRole.allCases)).flatMap { group in group.described.map { ($0.path, $0.method) } })

/// What a request's own parts say of it.
private func expectConsistent(_ request: WebSocketRequest) {
    _ = request.isSameOrigin
    _ = request.token
    if let parameter = request.parameter("token") { expect(!parameter.utf8.contains(UInt8(ascii: "&")), "'\(parameter)' is two") }
    _ = request.parameter("since")
}
