import EMSCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What is said of text that is not in the encoding it should be in.
enum TextFault {
    static let notUTF8 = EMSError(
        .malformed, "the text is not valid UTF-8", fix: "name its encoding with --encoding, such as windows-1252, latin1 or utf-16")

    /// See ``Swift/String/isStreamSafe``.
    static let tooManyMarks = EMSError(.malformed, "more than \(String.markLimit) combining marks follow each other")
}

/// The text of a file as UTF-8, read piece by piece: of an encoding that is named, or UTF-16 where the file begins with its byte order mark.
/// Whether what claims to be UTF-8 is UTF-8, the readers check record by record.
final class TextInput {
    private let input: InputFile
    private let encoding: String?
    private var converter: TextConverter?
    private var hasBegun = false
    private var hasEnded = false

    /// - Parameter encoding: a name that iconv(3) knows; `nil` for UTF-8, or what the byte order mark says.
    /// - Throws: ``EMSError`` with ``ErrorCode/usage`` for an encoding that is not known.
    init(_ input: InputFile, encoding: String?) throws {
        self.input = input
        self.encoding = encoding
        if let encoding { converter = try TextConverter(from: encoding) }
    }

    var size: Int? { input.size }

    func isReady() -> Bool { input.isReady() }

    /// The next bytes and how many of the file they were; `nil` at the end.
    /// - Throws: ``EMSError`` with ``ErrorCode/malformed`` and the line, where the file is not in the encoding.
    func next() throws -> (bytes: [UInt8], count: Int)? {
        guard !hasEnded else { return nil }
        var piece = try input.next()
        if !hasBegun {
            hasBegun = true
            // A pipe may bring a mark of two bytes in two pieces.
            if let first = piece, first.count == 1, let second = try input.next() { piece = first + second }
            if encoding == nil, let mark = piece?.prefix(2) {
                if mark.elementsEqual([0xFF, 0xFE]) { converter = try TextConverter(from: "UTF-16LE") }
                if mark.elementsEqual([0xFE, 0xFF]) { converter = try TextConverter(from: "UTF-16BE") }
            }
        }
        guard let piece else {
            hasEnded = true
            guard let converter else { return nil }
            return (try converter.finish(), 0)
        }
        return (try converter?.convert(piece) ?? piece, piece.count)
    }
}

/// Converts text to UTF-8 with iconv(3).
final class TextConverter {
    private let name: String
    private let descriptor: iconv_t
    /// The first bytes of a character whose others are still to come.
    private var rest: [UInt8] = []
    private var line = 1

    init(from name: String) throws {
        self.name = name
        // An empty name would mean the locale's, and a suffix such as //IGNORE would lose text without a word.
        let isName =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                byte.isASCIILetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
                    || byte == UInt8(ascii: ".")
            }
        guard isName, let descriptor = iconv_open("UTF-8", name), descriptor != iconv_t(bitPattern: -1) else {
            throw EMSError(
                .usage, "there is no encoding called \(Printable.quoted(name))",
                fix: "use a name such as windows-1252, latin1, utf-16 or shift-jis; iconv -l lists them")
        }
        self.descriptor = descriptor
    }

    deinit {
        iconv_close(descriptor)
    }

    func convert(_ bytes: [UInt8]) throws -> [UInt8] {
        var source = (rest + bytes).map { CChar(bitPattern: $0) }
        rest = []
        var converted: [UInt8] = []
        var buffer = [CChar](repeating: 0, count: 65_536)
        var failure: Int32 = 0
        source.withUnsafeMutableBufferPointer { source in
            var input = source.baseAddress
            var inputLeft = source.count
            while inputLeft > 0, failure == 0 {
                buffer.withUnsafeMutableBufferPointer { buffer in
                    var output = buffer.baseAddress
                    var outputLeft = buffer.count
                    if iconv(descriptor, &input, &inputLeft, &output, &outputLeft) == -1, errno != E2BIG { failure = errno }
                    converted += buffer.prefix(buffer.count - outputLeft).map { UInt8(bitPattern: $0) }
                }
            }
            rest = source.suffix(inputLeft).map { UInt8(bitPattern: $0) }
        }
        line += converted.count { $0 == 0x0A }
        // What is incomplete goes on in the next piece.
        guard failure == 0 || failure == EINVAL else { throw fault }
        return converted
    }

    func finish() throws -> [UInt8] {
        guard rest.isEmpty else { throw fault }
        return []
    }

    private var fault: EMSError {
        EMSError(.malformed, "line \(line): the text is not valid \(name)", fix: "is the encoding right? see --encoding")
    }
}

extension UInt8 {
    fileprivate var isASCIILetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
