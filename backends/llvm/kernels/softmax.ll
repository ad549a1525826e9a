; Softmax: the powers of e, shifted by the largest so that none overflows, as shares of their sum.
; The flag reassoc lets LLVM add in another order, which is what a vector does: the last digits may differ from a loop's.

declare double @llvm.exp.f64(double)
declare float @llvm.exp.f32(float)

define void @softmax_f64(ptr readonly %x, ptr %out, i64 %n) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %largest, label %done

largest:
  %i = phi i64 [ 0, %entry ], [ %i.next, %largest ]
  %most = phi nnan nsz double [ 0xFFF0000000000000, %entry ], [ %larger, %largest ]
  %xi = getelementptr inbounds double, ptr %x, i64 %i
  %a = load double, ptr %xi, align 8
  %is.larger = fcmp nnan nsz ogt double %a, %most
  %larger = select nnan nsz i1 %is.larger, double %a, double %most
  %i.next = add nuw nsw i64 %i, 1
  %i.more = icmp slt i64 %i.next, %n
  br i1 %i.more, label %largest, label %powers

powers:
  %j = phi i64 [ 0, %largest ], [ %j.next, %powers ]
  %sum = phi double [ 0.0, %largest ], [ %added, %powers ]
  %xj = getelementptr inbounds double, ptr %x, i64 %j
  %b = load double, ptr %xj, align 8
  %distance = fsub double %b, %larger
  %power = call double @llvm.exp.f64(double %distance)
  %outj = getelementptr inbounds double, ptr %out, i64 %j
  store double %power, ptr %outj, align 8
  %added = fadd reassoc contract double %sum, %power
  %j.next = add nuw nsw i64 %j, 1
  %j.more = icmp slt i64 %j.next, %n
  br i1 %j.more, label %powers, label %shares

shares:
  %k = phi i64 [ 0, %powers ], [ %k.next, %shares ]
  %outk = getelementptr inbounds double, ptr %out, i64 %k
  %c = load double, ptr %outk, align 8
  %share = fdiv double %c, %added
  store double %share, ptr %outk, align 8
  %k.next = add nuw nsw i64 %k, 1
  %k.more = icmp slt i64 %k.next, %n
  br i1 %k.more, label %shares, label %done

done:
  ret void
}

define void @softmax_f32(ptr readonly %x, ptr %out, i64 %n) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %largest, label %done

largest:
  %i = phi i64 [ 0, %entry ], [ %i.next, %largest ]
  %most = phi nnan nsz float [ 0xFFF0000000000000, %entry ], [ %larger, %largest ]
  %xi = getelementptr inbounds float, ptr %x, i64 %i
  %a = load float, ptr %xi, align 4
  %is.larger = fcmp nnan nsz ogt float %a, %most
  %larger = select nnan nsz i1 %is.larger, float %a, float %most
  %i.next = add nuw nsw i64 %i, 1
  %i.more = icmp slt i64 %i.next, %n
  br i1 %i.more, label %largest, label %powers

powers:
  %j = phi i64 [ 0, %largest ], [ %j.next, %powers ]
  %sum = phi float [ 0.0, %largest ], [ %added, %powers ]
  %xj = getelementptr inbounds float, ptr %x, i64 %j
  %b = load float, ptr %xj, align 4
  %distance = fsub float %b, %larger
  %power = call float @llvm.exp.f32(float %distance)
  %outj = getelementptr inbounds float, ptr %out, i64 %j
  store float %power, ptr %outj, align 4
  %added = fadd reassoc contract float %sum, %power
  %j.next = add nuw nsw i64 %j, 1
  %j.more = icmp slt i64 %j.next, %n
  br i1 %j.more, label %powers, label %shares

shares:
  %k = phi i64 [ 0, %powers ], [ %k.next, %shares ]
  %outk = getelementptr inbounds float, ptr %out, i64 %k
  %c = load float, ptr %outk, align 4
  %share = fdiv float %c, %added
  store float %share, ptr %outk, align 4
  %k.next = add nuw nsw i64 %k, 1
  %k.more = icmp slt i64 %k.next, %n
  br i1 %k.more, label %shares, label %done

done:
  ret void
}
