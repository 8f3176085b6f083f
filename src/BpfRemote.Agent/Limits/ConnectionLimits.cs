using System.IO.Pipelines;
using BpfRemote.Agent.Access;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace BpfRemote.Agent.Limits;

/// <summary>Bounds the connections of one principal, the time that one may take to begin, and its age.</summary>
/// <remarks>How many there are in all is the server's to bound, before anybody is identified.</remarks>
internal sealed partial class ConnectionLimits(
    AgentLimits limits, Func<string, PrincipalLimits> limitsOf, TimeProvider time, ILogger<ConnectionLimits> log)
{
    /// <summary>Bytes that every HTTP/2 connection begins with.</summary>
    private const int PrefaceSize = 24;

    /// <summary>The part of the age that differs between connections, so that those of one moment do not all end in one.</summary>
    private const double AgeJitter = 0.1;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _open = [];

    /// <summary>Connection middleware, behind the one that identifies the caller.</summary>
    public ConnectionDelegate Bound(ConnectionDelegate next) => async connection =>
    {
        string principal = connection.Features.Get<ConnectionIdentity>()?.Account
            ?? throw new InvalidOperationException("the listener did not identify its connection");
        if (!TryEnter(principal))
        {
            connection.Abort(new ConnectionAbortedException("the principal has too many connections"));
            return;
        }

        try
        {
            if (!await HasBegunAsync(connection.Transport.Input))
            {
                connection.Abort(new ConnectionAbortedException("the connection did not begin in time"));
                return;
            }

            IConnectionLifetimeNotificationFeature? lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
            await using ITimer aging = time.CreateTimer(_ => lifetime?.RequestClose(), null, PickAge(), Timeout.InfiniteTimeSpan);
            await next(connection);
        }
        finally
        {
            Leave(principal);
        }
    };

    private TimeSpan PickAge() => limits.MaxConnectionAge * (1 + (AgeJitter * Random.Shared.NextDouble()));

    /// <summary>Waits for the first bytes, and leaves them to the server.</summary>
    private async Task<bool> HasBegunAsync(PipeReader input)
    {
        using CancellationTokenSource late = new(limits.HandshakeTimeout, time);
        try
        {
            ReadResult start = await input.ReadAtLeastAsync(PrefaceSize, late.Token);
            input.AdvanceTo(start.Buffer.Start);
            return !start.IsCanceled;
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception e) when (e is ConnectionResetException or ConnectionAbortedException)
        {
            return false;
        }
    }

    private bool TryEnter(string principal)
    {
        int most = limitsOf(principal).MaxConnections;
        lock (_lock)
        {
            int open = _open.GetValueOrDefault(principal);
            if (open >= most)
            {
                return false;
            }

            _open[principal] = open + 1;
            if (open + 1 == most)
            {
                LogFull(principal, most); // here and not for each that is turned away: they may be many
            }

            return true;
        }
    }

    private void Leave(string principal)
    {
        lock (_lock)
        {
            if (--_open[principal] == 0)
            {
                _open.Remove(principal);
            }
        }
    }

    [LoggerMessage(EventId = 401, Level = LogLevel.Warning, Message = "{Principal} has all the {Connections} connections it may have")]
    private partial void LogFull(string principal, int connections);
}
