namespace BpfRemote.Agent.Limits;

/// <summary>Bounds the share of one CPU that all gentle scans together spend inside native calls, and shares it fairly.</summary>
/// <remarks>
/// <para>While the kernel copies a batch, tracing programs do not run on that CPU and their events are lost: measured, a 1 kHz
/// perf_event program kept 37 % of its runs beside an unpaced scan.</para>
/// <para>Each principal has two balances of kernel time, up to a free burst: one for its long calls, and a large one for its short
/// ones, so that a page waits for no scan, and a few thousand pages for nothing. The allowed share refills, in equal parts, the
/// principals that are not full: so one with eight scans gets no more than one with one, and what nobody needs goes to who does. Of
/// its part a principal's long calls are given a tenth first, so that its pages do not stop its scans, and what its short ones
/// leave.</para>
/// <para>Over any time the calls take no more than the share of it, and a burst for each principal; the long ones of these the
/// small burst only.</para>
/// </remarks>
internal sealed class GentlePace : IDisposable
{
    // All in seconds: balances move by less than a tick.
    private const double ShortBurst = 0.25;
    private const double LongBurst = 0.0025;
    private const double PartOfLongCalls = 0.1;

    /// <summary>Kernel time up to which a call is a short one: some 5,000 entries.</summary>
    private const double ShortCall = 0.002;

    // The shortest waits. Who waits longer is woken less often, which costs more than a native call.
    private const double ShortWait = 0.001;
    private const double LongWait = 0.004;

    /// <summary>What a call is taken to spend in its first turn.</summary>
    private const double UsualTurn = 0.000_1;

    private const double Least = 1e-9;

    private readonly double _share;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Account> _accounts = [];
    private readonly ITimer _timer;
    private long _refilledAt;

    /// <param name="share">The share of one CPU, above 0 and up to 1.</param>
    /// <param name="time">The clock.</param>
    public GentlePace(double share, TimeProvider time)
    {
        _share = share;
        _time = time;
        _refilledAt = time.GetTimestamp();
        _timer = time == TimeProvider.System
            ? new FineTimer(Serve)
            : time.CreateTimer(_ => Serve(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Lets a call in, until it is disposed.</summary>
    public Call Enter(string principal)
    {
        lock (_lock)
        {
            Refill();
            if (!_accounts.TryGetValue(principal, out Account? account))
            {
                _accounts.Add(principal, account = new Account());
            }

            account.Calls++;
            return new Call(this, account);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Serve()
    {
        lock (_lock)
        {
            Refill();
            ServeWaiting();
        }
    }

    /// <summary>Gives turns to those whose balance allows one, and sets the timer for the next.</summary>
    private void ServeWaiting()
    {
        double next = double.PositiveInfinity;
        double rate = _share / Math.Max(_accounts.Values.Count(account => !account.IsFull), 1);
        bool isAnyWaiting = false;
        foreach (Account account in _accounts.Values)
        {
            account.Short.Serve();
            account.Long.Serve();
            isAnyWaiting |= account.Short.IsAnyWaiting || account.Long.IsAnyWaiting;
            next = Math.Min(next, Math.Max(account.Short.Wanted / (account.Long.IsFull ? rate : rate * (1 - PartOfLongCalls)), ShortWait));
            next = Math.Min(next, Math.Max(account.Long.Wanted / (account.Short.IsFull ? rate : rate * PartOfLongCalls), LongWait));
        }

        // Timers count whole milliseconds.
        _timer.Change(
            isAnyWaiting ? TimeSpan.FromMilliseconds(Math.Ceiling(next * 1_000)) : Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    private void Refill()
    {
        long now = _time.GetTimestamp();
        double earned = _share * _time.GetElapsedTime(_refilledAt, now).TotalSeconds;
        _refilledAt = now;
        while (earned > Least && _accounts.Values.Count(account => !account.IsFull) is > 0 and var needy)
        {
            double part = earned / needy;
            foreach (Account account in _accounts.Values)
            {
                earned -= account.Fill(part);
            }
        }

        foreach ((string principal, Account account) in _accounts)
        {
            if (account is { Calls: 0, IsFull: true })
            {
                _accounts.Remove(principal);
            }
        }
    }

    /// <summary>One call that keeps to the pace. Not safe for concurrent use.</summary>
    public sealed class Call : IDisposable
    {
        private readonly GentlePace _pace;
        private readonly Account _account;
        private double _spent;
        private double _lastTurn = UsualTurn;
        private double _reserved;

        internal Call(GentlePace pace, Account account)
        {
            _pace = pace;
            _account = account;
        }

        /// <summary>Whether the next native call may be made.</summary>
        public bool HasTurn { get; private set; }

        /// <summary>Whoever waits for the turn.</summary>
        internal TaskCompletionSource? Turn { get; private set; }

        /// <summary>What the next turn is taken from.</summary>
        private Balance Balance => _spent < ShortCall ? _account.Short : _account.Long;

        /// <summary>Waits for the turn to make a native call. Completes at once while the balance allows one.</summary>
        /// <param name="patience">The longest wait; whoever waits this long is to say so and come again.</param>
        /// <param name="cancellationToken">Ends the wait.</param>
        /// <returns>The time waited.</returns>
        public ValueTask<TimeSpan> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
        {
            lock (_pace._lock)
            {
                if (HasTurn || patience <= TimeSpan.Zero)
                {
                    return new(TimeSpan.Zero);
                }

                _pace.Refill();
                if (Balance is { IsAnyWaiting: false, Left: > 0 })
                {
                    TakeTurn();
                    return new(TimeSpan.Zero);
                }

                Turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                LinkedListNode<Call> place = Balance.Waiting.AddLast(this);
                _pace.ServeWaiting();
                return new(WaitForTurnAsync(place, patience, cancellationToken));
            }
        }

        /// <summary>Takes time that was spent inside native calls from the balance, and ends the turn.</summary>
        public void Spend(TimeSpan kernelTime)
        {
            lock (_pace._lock)
            {
                _pace.Refill();
                Balance.Give(_reserved - kernelTime.TotalSeconds);
                _spent += kernelTime.TotalSeconds;
                _lastTurn = Math.Min(kernelTime.TotalSeconds, LongBurst);
                _reserved = 0;
                HasTurn = false;
                _pace.ServeWaiting();
            }
        }

        /// <summary>Leaves; a turn that was not used goes back.</summary>
        public void Dispose()
        {
            lock (_pace._lock)
            {
                _account.Calls--;
                Balance.Give(_reserved);
                _reserved = 0;
                _pace.Refill();
                _pace.ServeWaiting();
            }
        }

        /// <summary>What the turn will take is taken now, so that others do not count on it too.</summary>
        internal void TakeTurn()
        {
            HasTurn = true;
            _reserved = _lastTurn;
            Balance.Give(-_reserved);
        }

        private async Task<TimeSpan> WaitForTurnAsync(LinkedListNode<Call> place, TimeSpan patience, CancellationToken cancellationToken)
        {
            long start = _pace._time.GetTimestamp();
            try
            {
                await Turn!.Task.WaitAsync(patience, _pace._time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // The caller's to see: it has no turn.
            }
            finally
            {
                lock (_pace._lock)
                {
                    place.List?.Remove(place);
                }
            }

            return _pace._time.GetElapsedTime(start);
        }
    }

    /// <summary>What one principal has left.</summary>
    internal sealed class Account
    {
        public int Calls { get; set; }

        public Balance Short { get; } = new(ShortBurst);

        public Balance Long { get; } = new(LongBurst);

        public bool IsFull => Short.IsFull && Long.IsFull;

        /// <summary>Adds what there is room for.</summary>
        /// <returns>What was added.</returns>
        public double Fill(double seconds)
        {
            double given = Long.Fill(seconds * PartOfLongCalls);
            given += Short.Fill(seconds - given);
            return given + Long.Fill(seconds - given);
        }
    }

    /// <summary>What the calls of one kind have left, and those of them that wait.</summary>
    internal sealed class Balance(double burst)
    {
        private readonly double _burst = burst;

        public double Left { get; private set; } = burst;

        public bool IsFull => Left >= _burst;

        public LinkedList<Call> Waiting { get; } = [];

        public bool IsAnyWaiting => Waiting.Count > 0;

        /// <summary>What is missing until something changes: until the next gets a turn, or else until it is full and others are
        /// given more.</summary>
        public double Wanted => IsFull ? double.PositiveInfinity : IsAnyWaiting ? -Left : _burst - Left;

        /// <summary>Adds to it, or takes from it where below 0.</summary>
        public void Give(double seconds) => Left = Left + seconds > _burst - Least ? _burst : Left + seconds;

        /// <summary>Adds what there is room for.</summary>
        /// <returns>What was added.</returns>
        public double Fill(double seconds)
        {
            double given = Math.Min(seconds, _burst - Left);
            Give(given);
            return given;
        }

        /// <summary>Gives turns while there is something left.</summary>
        public void Serve()
        {
            while (Left > 0 && Waiting.First is { } first)
            {
                Waiting.Remove(first);
                first.Value.TakeTurn();
                first.Value.Turn!.SetResult();
            }
        }
    }
}
