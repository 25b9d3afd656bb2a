/// How long a client may take over HTTP/2, as a value: frames of both directions change the state, and at any moment it says whether the
/// connection has used up its time. No I/O and no clock.
///
/// The limits are those of ``RequestClock``, for each stream and for the connection: a head that does not end, a body that trickles in, an
/// answer that nobody reads, and a connection without a request. Other frames (PING, SETTINGS, unknown ones) do not extend any of them.
struct HTTP2Clock {
    /// What of a frame's header matters (RFC 9113, section 4.1).
    struct Frame {
        static let headerBytes = 9

        let length: Int
        let type: UInt8
        let flags: UInt8
        let stream: UInt32

        init(_ bytes: [UInt8]) {
            length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
            type = bytes[3]
            flags = bytes[4]
            stream = (UInt32(bytes[5]) << 24 | UInt32(bytes[6]) << 16 | UInt32(bytes[7]) << 8 | UInt32(bytes[8])) & 0x7FFF_FFFF
        }

        enum Kind {
            static let data: UInt8 = 0
            static let headers: UInt8 = 1
            static let reset: UInt8 = 3
            static let continuation: UInt8 = 9
        }

        var endsStream: Bool { flags & 0x1 != 0 }
        var endsHeaders: Bool { flags & 0x4 != 0 }
    }

    private enum Phase {
        case head(since: Int)
        case body(since: Int)
        case answer(lastProgress: Int)
    }

    /// More streams than this are never open at once: the server allows 100.
    private static let streamLimit = 1000

    private var streams: [UInt32: Phase] = [:]
    /// Since when no stream has been open.
    private var idleSince: Int
    private var isClosing = false

    /// - Parameter now: whole seconds of any clock that does not jump.
    init(now: Int) {
        idleSince = now
    }

    var isIdle: Bool { streams.isEmpty }

    /// A frame began to arrive from the client.
    mutating func received(_ frame: Frame, at now: Int) {
        guard frame.stream != 0 else { return }
        switch frame.type {
        case Frame.Kind.headers:
            // Trailers belong to a stream that is open.
            if case .body? = streams[frame.stream] {
                if frame.endsStream { streams[frame.stream] = .answer(lastProgress: now) }
                return
            }
            guard streams[frame.stream] == nil, streams.count < Self.streamLimit else { return }
            pendingEnd[frame.stream] = frame.endsStream
            streams[frame.stream] = .head(since: now)
            if frame.endsHeaders { headEnded(frame.stream, at: now) }
        case Frame.Kind.continuation where frame.endsHeaders:
            headEnded(frame.stream, at: now)
        case Frame.Kind.data where frame.endsStream:
            if case .body? = streams[frame.stream] { streams[frame.stream] = .answer(lastProgress: now) }
        case Frame.Kind.reset: end(frame.stream, at: now)
        default: break
        }
    }

    /// Whether the head of a stream ends it as well.
    private var pendingEnd: [UInt32: Bool] = [:]

    private mutating func headEnded(_ stream: UInt32, at now: Int) {
        guard case .head? = streams[stream] else { return }
        let isWhole = pendingEnd.removeValue(forKey: stream) ?? false
        streams[stream] = isWhole ? .answer(lastProgress: now) : .body(since: now)
    }

    /// A frame was written to the client: handed to its socket, which takes it only as fast as the client reads.
    mutating func sent(_ frame: Frame, at now: Int) {
        guard frame.stream != 0 else { return }
        switch frame.type {
        case Frame.Kind.headers, Frame.Kind.data:
            if frame.endsStream {
                end(frame.stream, at: now)
            } else if case .answer? = streams[frame.stream] {
                streams[frame.stream] = .answer(lastProgress: now)
            }
        case Frame.Kind.reset: end(frame.stream, at: now)
        default: break
        }
    }

    private mutating func end(_ stream: UInt32, at now: Int) {
        pendingEnd[stream] = nil
        if streams.removeValue(forKey: stream) != nil, streams.isEmpty { idleSince = now }
    }

    /// Whether the connection is to be closed.
    func isOverdue(at now: Int) -> Bool {
        if streams.isEmpty { return now - idleSince >= RequestClock.Limit.idleSeconds }
        return streams.values.contains { phase in
            switch phase {
            case .head(let since): now - since >= RequestClock.Limit.headSeconds
            case .body(let since): now - since >= RequestClock.Limit.bodySeconds
            case .answer(let last): now - last >= RequestClock.Limit.writeSeconds
            }
        }
    }
}

/// Cuts a direction of an HTTP/2 connection into frames, of which it looks at the headers only.
struct HTTP2FrameCutter {
    private var skip: Int
    private var header: [UInt8] = []

    /// - Parameter preface: how many bytes come before the first frame.
    init(preface: Int) {
        skip = preface
    }

    /// - Returns: the frames whose headers are complete now.
    mutating func read(_ bytes: some Collection<UInt8>) -> [HTTP2Clock.Frame] {
        var frames: [HTTP2Clock.Frame] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            if skip > 0 {
                let step = min(skip, rest.count)
                rest = rest.dropFirst(step)
                skip -= step
                continue
            }
            let wanted = HTTP2Clock.Frame.headerBytes - header.count
            header += rest.prefix(wanted)
            rest = rest.dropFirst(wanted)
            guard header.count == HTTP2Clock.Frame.headerBytes else { break }
            let frame = HTTP2Clock.Frame(header)
            frames.append(frame)
            header.removeAll(keepingCapacity: true)
            skip = frame.length
        }
        return frames
    }
}
