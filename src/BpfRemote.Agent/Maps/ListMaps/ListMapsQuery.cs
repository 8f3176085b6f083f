using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Limits;
using BpfRemote.Agent.Tokens;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.ListMaps;

/// <summary>A valid ListMaps request.</summary>
/// <param name="PageSize">The most maps on the page.</param>
/// <param name="After">Only ids above this.</param>
/// <param name="Types">Only these types; empty for all.</param>
/// <param name="Name">Only names that fit; null for all.</param>
/// <param name="PinnedPath">Only maps with a pin that fits; null for all.</param>
/// <param name="IsFull">Whether the view is FULL.</param>
/// <param name="Filter">A digest of the filters, which a page token is bound to.</param>
internal sealed record ListMapsQuery(
    int PageSize, uint After, IReadOnlySet<MapType> Types, Glob? Name, Glob? PinnedPath, bool IsFull, ulong Filter)
{
    private const int MaxTypes = 64;
    private const int MaxNameGlobBytes = 256;
    private const int MaxPathGlobBytes = 4_095;
    private const int PageTokenSize = sizeof(uint) + sizeof(ulong);

    /// <summary>Parses a request.</summary>
    /// <exception cref="RpcException">INVALID_ARGUMENT with all violations at once, or PAGE_TOKEN_INVALID.</exception>
    public static ListMapsQuery Parse(ListMapsRequest request, TokenSealer tokens)
    {
        List<FieldViolation> violations = [];
        if (request.PageSize < 0)
        {
            violations.Add(new("page_size", $"is {request.PageSize}; expected 0 (the default) or more"));
        }

        if (request.Types_.Count > MaxTypes)
        {
            violations.Add(new("types", $"has {request.Types_.Count} entries; expected at most {MaxTypes}"));
        }

        foreach (MapType type in request.Types_.Where(type => type == MapType.Unspecified || !Enum.IsDefined(type)).Distinct())
        {
            violations.Add(new("types", $"unknown map type {(int)type}"));
        }

        Glob? name = ParseGlob("name_glob", request.NameGlob, MaxNameGlobBytes, isPath: false, violations);
        Glob? path = ParseGlob("pinned_path_glob", request.PinnedPathGlob, MaxPathGlobBytes, isPath: true, violations);
        MapUse.Validate(request.View, violations);
        if (violations.Count > 0)
        {
            throw ServiceError.InvalidFields(violations);
        }

        ulong filter = FilterOf(request);
        return new ListMapsQuery(
            request.PageSize == 0 ? AgentLimits.DefaultPageSize : Math.Min(request.PageSize, AgentLimits.MaxPageSize),
            request.PageToken.Length == 0 ? 0 : ReadPageToken(request.PageToken, filter, tokens),
            request.Types_.ToHashSet(),
            name,
            path,
            request.View == MapView.Full,
            filter);
    }

    /// <summary>The token of the page after a map.</summary>
    public string PageTokenAfter(uint mapId, TokenSealer tokens)
    {
        Span<byte> payload = stackalloc byte[PageTokenSize];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, mapId);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[sizeof(uint)..], Filter);
        return tokens.Seal(TokenPurpose.Page, payload);
    }

    private static uint ReadPageToken(string token, ulong filter, TokenSealer tokens)
    {
        Span<byte> payload = stackalloc byte[TokenSealer.MaxPayload];
        return tokens.TryOpen(TokenPurpose.Page, token, payload, out int length) == TokenOpening.Opened
            && length == PageTokenSize
            && BinaryPrimitives.ReadUInt64LittleEndian(payload[sizeof(uint)..]) == filter
                ? BinaryPrimitives.ReadUInt32LittleEndian(payload)
                : throw ServiceError.Create(
                    StatusCode.InvalidArgument,
                    ErrorReason.PageTokenInvalid,
                    "page_token is not one that ListMaps gave for these filters; send next_page_token unchanged, or none to begin");
    }

    private static Glob? ParseGlob(string field, string pattern, int maxBytes, bool isPath, List<FieldViolation> violations)
    {
        if (pattern.Length == 0)
        {
            return null;
        }

        int bytes = Encoding.UTF8.GetByteCount(pattern);
        if (bytes > maxBytes)
        {
            violations.Add(new(field, $"has {bytes} bytes; expected at most {maxBytes}"));
            return null;
        }

        Glob? glob = Glob.TryParse(pattern, isPath, out string error);
        if (glob is null)
        {
            violations.Add(new(field, error));
        }

        return glob;
    }

    private static ulong FilterOf(ListMapsRequest request)
    {
        ListMapsRequest filters = new()
        {
            NameGlob = request.NameGlob,
            PinnedPathGlob = request.PinnedPathGlob,
            Types_ = { request.Types_.Order() },
        };
        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(filters.ToByteArray()));
    }
}
