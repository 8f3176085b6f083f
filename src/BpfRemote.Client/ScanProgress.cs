using BpfRemote.V1;
using Google.Protobuf.WellKnownTypes;

namespace BpfRemote.Client;

/// <summary>
/// How far a scan has come, over all its calls: checks each response, and knows the request that continues after the last one
/// handed over.
/// </summary>
internal sealed class ScanProgress(LookupBatchRequest request)
{
    private readonly bool _isLimited = request.Limit > 0;
    private Layout? _layout;
    private ScanCost _spent = new();
    private ScanCost _spentBefore = new();
    private ulong _entriesOfCall;
    private bool _isComplete;

    /// <summary>The request of the next call.</summary>
    public LookupBatchRequest Request { get; } = request;

    /// <summary>Whether nothing is left to ask for: the scan is complete, or its limit is used up.</summary>
    public bool IsFinished => _isComplete || (_isLimited && Request.Limit == 0);

    /// <summary>Where the scan continues; <see langword="null"/> for the start.</summary>
    public string? Token => Request.ContinuationToken.Length > 0 ? Request.ContinuationToken : null;

    public void BeginCall()
    {
        _layout = null;
        _entriesOfCall = 0;
        _spentBefore = _spent;
    }

    /// <exception cref="InvalidResponseException">The response contradicts the request or the protocol.</exception>
    public MapBatch Accept(LookupBatchResponse response)
    {
        if (_isComplete)
        {
            throw Invalid("a response follows the one that completed the scan");
        }

        _layout ??= response.Layout ?? throw Invalid("the first response of the call has no layout");
        if (response.Count > int.MaxValue)
        {
            throw Invalid($"a response of {response.Count} entries");
        }

        bool hasKeys = Request.Include != Include.CountOnly;
        bool hasValues = Request.Include is Include.Unspecified or Include.KeysAndValues;
        Check("keys", response.Keys.Length, hasKeys ? _layout.KeySize : 0, response.Count);
        Check("values", response.Values.Length, hasValues ? _layout.ValueStride : 0, response.Count);
        response.Cost = Sum(_spentBefore, response.Cost ?? new());
        return new(response, _layout);
    }

    /// <summary>Counts a batch as done with: from here on the scan continues after it.</summary>
    public void HandOver(MapBatch batch)
    {
        _isComplete = batch.IsComplete;
        _spent = batch.Cost;
        _entriesOfCall += (ulong)batch.Count;
        if (!_isComplete)
        {
            Request.ContinuationToken = batch.ContinuationToken;
        }

        if (_isLimited)
        {
            Request.Limit -= Math.Min(Request.Limit, (ulong)batch.Count);
        }
    }

    /// <summary>Judges a call that ended with status OK: only completion or the limit may end one.</summary>
    /// <exception cref="InvalidResponseException">The call ended before either.</exception>
    public void EndCall()
    {
        if (!_isComplete && !(_isLimited && _entriesOfCall > 0))
        {
            throw Invalid("the call ended with status OK, but neither was the scan complete nor had its limit stopped it");
        }
    }

    private void Check(string field, int length, uint stride, uint count)
    {
        ulong expected = (ulong)stride * count;
        if ((ulong)length != expected)
        {
            throw Invalid($"'{field}' has {length} bytes, but {count} entries of {stride} bytes make {expected}");
        }
    }

    private InvalidResponseException Invalid(string what) => new(what, Token);

    private static ScanCost Sum(ScanCost before, ScanCost call) => new()
    {
        Entries = before.Entries + call.Entries,
        NativeCalls = before.NativeCalls + call.NativeCalls,
        KernelTime = (before.KernelTime ?? new Duration()) + (call.KernelTime ?? new()),
        PaceWaitTime = (before.PaceWaitTime ?? new Duration()) + (call.PaceWaitTime ?? new()),
        LongestCall = Longer(before.LongestCall ?? new Duration(), call.LongestCall ?? new()),
        Retries = before.Retries + call.Retries,
        Restarts = Math.Max(before.Restarts, call.Restarts), // already counted over the whole scan
        Bytes = before.Bytes + call.Bytes,
    };

    private static Duration Longer(Duration one, Duration other) => one.CompareTo(other) > 0 ? one : other;
}
