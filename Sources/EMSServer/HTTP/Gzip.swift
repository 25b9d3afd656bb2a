import CZlib
import NIOCore

/// The gzip coding (RFC 1952) by zlib.
enum Gzip {
    /// Little slower than no compression, and most of the gain.
    private static let level: Int32 = 4
    /// The largest window, and 16 for a gzip header.
    private static let windowBits: Int32 = 15 + 16

    /// The bytes, compressed.
    /// - Returns: `nil` where zlib has no memory for it.
    static func compressed(_ bytes: ByteBuffer) -> ByteBuffer? {
        var stream = z_stream()
        guard ems_deflate_init(&stream, level, windowBits) == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        let capacity = Int(deflateBound(&stream, uLong(bytes.readableBytes)))
        var output = ByteBuffer()
        var isWhole = false
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { target in
            bytes.withUnsafeReadableBytes { source in
                // zlib reads its input and does not write to it.
                stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: Bytef.self).baseAddress)
                stream.avail_in = uInt(source.count)
                stream.next_out = target.bindMemory(to: Bytef.self).baseAddress
                stream.avail_out = uInt(target.count)
                isWhole = deflate(&stream, Z_FINISH) == Z_STREAM_END
                return Int(stream.total_out)
            }
        }
        return isWhole ? output : nil
    }
}
